#include <weft/pickle/detail/registry.hpp>

#include <algorithm>
#include <map>
#include <mutex>
#include <shared_mutex>
#include <stdexcept>
#include <utility>

#include <fmt/format.h>

#include <weft/pickle/detail/pointers.hpp>
#include <weft/pickle/errors.hpp>

#include "detail/describe.hpp"

namespace weft::pickle::detail {

namespace {

struct Registry {
    std::shared_mutex mutex;
    std::map<std::type_index, const ClassEntry*> by_type;
    std::map<std::pair<std::string_view, std::string_view>, const ClassEntry*> by_name;
    std::atomic<std::uint32_t> count{0};
};

/// Never destroyed: pickles may be written while static objects die.
Registry& registry() {
    static Registry& instance = *new Registry;
    return instance;
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
    auto owned = std::make_unique<ClassEntry>(std::move(entry));
    owned->module = name.substr(0, dot);
    owned->qualified_name = name.substr(dot + 1);
    owned->name = {owned->module, owned->qualified_name};

    Registry& known = registry();
    const std::unique_lock held(known.mutex);
    const std::pair key{owned->name.module, owned->name.name};
    const auto by_type = known.by_type.find(owned->type);
    const auto by_name = known.by_name.find(key);
    if (by_type != known.by_type.end() && by_name != known.by_name.end() &&
        by_type->second == by_name->second) {
        const auto& old_bases = by_type->second->bases;
        const bool adds_nothing = std::ranges::all_of(owned->bases, [&](const BaseCast& cast) {
            return std::ranges::any_of(old_bases,
                                       [&](const BaseCast& o) { return o.base == cast.base; });
        });
        if (adds_nothing) return;
        throw std::invalid_argument(fmt::format(
            "{} is registered already, with other bases: name them all the first time", name));
    }
    if (by_type != known.by_type.end()) {
        throw std::invalid_argument(
            fmt::format("{} is registered as {}.{} already, and cannot be {} as well",
                        weft::detail::demangle(owned->type.name()), by_type->second->module,
                        by_type->second->qualified_name, name));
    }
    if (by_name != known.by_name.end()) {
        throw std::invalid_argument(
            fmt::format("{} is the name of {} already, and cannot be that of {} as well", name,
                        weft::detail::demangle(by_name->second->type.name()),
                        weft::detail::demangle(owned->type.name())));
    }
    const auto place = known.by_name.emplace(key, owned.get()).first;
    try {
        known.by_type.emplace(owned->type, owned.get());
    } catch (...) {
        known.by_name.erase(place);
        throw;
    }
    static_cast<void>(owned.release());
    // Release: pairs with registrations().
    known.count.fetch_add(1, std::memory_order_release);
}

const ClassEntry* find_class(std::type_index type) {
    Registry& known = registry();
    const std::shared_lock held(known.mutex);
    const auto found = known.by_type.find(type);
    return found == known.by_type.end() ? nullptr : found->second;
}

const ClassEntry* find_class(std::string_view module, std::string_view name) {
    Registry& known = registry();
    const std::shared_lock held(known.mutex);
    const auto found = known.by_name.find({module, name});
    return found == known.by_name.end() ? nullptr : found->second;
}

std::uint32_t registrations() noexcept {
    return registry().count.load(std::memory_order_acquire);
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
        source.fail_with(
            fmt::format("{}.{} is not registered (pickle::register_class)", module, name));
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
