#include <weft/pickle/detail/registry.hpp>

#include <algorithm>
#include <atomic>
#include <stdexcept>
#include <utility>

#include <weft/pickle/detail/pointers.hpp>
#include <weft/pickle/errors.hpp>

#include "detail/describe.hpp"
#include "detail/fmt.hpp"
#include "pickle/entry_list.hpp"
#include "pickle/node.hpp"

namespace weft::pickle::detail {

namespace {

/// Without a destructor: pickles may be written while static objects die.
constinit EntryList<ClassEntry> classes;
constinit std::atomic<std::uint32_t> count{0};

bool has_bases_of(const ClassEntry& known, const ClassEntry& wanted) {
    return std::ranges::all_of(wanted.bases, [&](const BaseCast& cast) {
        return std::ranges::any_of(known.bases,
                                   [&](const BaseCast& other) { return other.base == cast.base; });
    });
}

}  // namespace

void* ClassEntry::as(std::type_index wanted, void* object) const {
    if (wanted == type) return object;
    for (const BaseCast& cast : bases) {
        if (cast.base == wanted) return cast.up(object);
    }
    return nullptr;
}

void add_class(std::string_view name, ClassEntry entry) {
    const std::size_t dot = name.rfind('.');
    if (dot == std::string_view::npos || dot == 0 || dot + 1 == name.size()) {
        throw std::invalid_argument(
            fmt::format("\"{}\" is no name of a class in Python: write \"module.Class\"", name));
    }
    entry.module = name.substr(0, dot);
    entry.qualified_name = name.substr(dot + 1);
    const ClassEntry& kept = classes.add(std::move(entry), [&](const ClassEntry& known,
                                                               const ClassEntry& wanted) {
        const bool has_name =
            known.module == wanted.module && known.qualified_name == wanted.qualified_name;
        if (known.type != wanted.type && !has_name) return false;
        if (known.type == wanted.type && has_name) {
            if (has_bases_of(known, wanted)) return true;
            throw std::invalid_argument(fmt::format(
                "{} is registered already, with other bases: name them all the first time", name));
        }
        throw std::invalid_argument(fmt::format(
            "{} cannot be the name of {}: {} is registered as {}.{}", name,
            weft::detail::demangle(wanted.type.name()), weft::detail::demangle(known.type.name()),
            known.module, known.qualified_name));
    });
    static_cast<void>(kept);
    // Release: pairs with registrations(). Counted too when it was there already, which costs those
    // who look again no more than that.
    count.fetch_add(1, std::memory_order_release);
}

const ClassEntry* find_class(std::type_index type) {
    return classes.find([&](const ClassEntry& entry) { return entry.type == type; });
}

const ClassEntry* find_class(std::string_view module, std::string_view name) {
    return classes.find([&](const ClassEntry& entry) {
        return entry.qualified_name == name && entry.module == module;
    });
}

std::uint32_t registrations() noexcept {
    return count.load(std::memory_order_acquire);
}

const ClassEntry& entry_of_dynamic(const std::type_info& type) {
    const ClassEntry* entry = find_class(type);
    if (entry != nullptr) return *entry;
    const std::string name = weft::detail::demangle(type.name());
    throw PicklingError(
        fmt::format("{0} is met through its base and has no name: call pickle::register_class<{0}, "
                    "Base>(\"module.Class\") on both sides",
                    name));
}

const ClassEntry* entry_of_next(ValueSource& source, const std::type_info& wanted) {
    std::string_view module;
    std::string_view name;
    if (!source.peek_class(module, name)) {
        source.fail("an object of a registered class");
        return nullptr;
    }
    const ClassEntry* entry = find_class(module, name);
    if (entry == nullptr) {
        source.fail_with(fmt::format("{}.{} is not registered (pickle::register_class)",
                                     shown(module), shown(name)));
        return nullptr;
    }
    const bool fits = entry->type == wanted ||
                      std::ranges::any_of(
                          entry->bases, [&](const BaseCast& cast) { return cast.base == wanted; });
    if (!fits) {
        source.fail_with(fmt::format("{}.{} is not registered as a {}", module, name,
                                     weft::detail::demangle(wanted.name())));
        return nullptr;
    }
    return entry;
}

}  // namespace weft::pickle::detail
