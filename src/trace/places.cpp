#include "trace/places.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <weft/detail/atomic.hpp>

#include "detail/describe.hpp"
#include "detail/fmt.hpp"
#include "os/code_file.hpp"
#include "os/posix/code.hpp"
#include "trace/line_table.hpp"

// What is known of functions, from the files that their modules were loaded from.
//
// State: a list of modules and a table of functions, both of which only grow. An entry is made
// outside, put in front by one compare-and-swap, and never changed or destroyed; only what is
// looked up later, a function's line and a module's line table, is one pointer each that is set
// once. Whoever loses such a race drops his own. So there are no locks: hooks run in any place of a
// program, and in children of fork().
//
// A function's entry holds only as long as no module was unloaded, since another may have come to
// the same addresses. A module's holds for the file that it names.

namespace weft::trace {

namespace {

using weft::detail::Atomic;

/// Puts `fresh` where nothing is yet; returns what is there then.
template <class T>
const T* publish(Atomic<const T*>& place, std::unique_ptr<const T> fresh) {
    const T* known = nullptr;
    // Release pairs with the acquire of whoever finds it; acquire, when another was first.
    if (place.compare_exchange_strong(known, fresh.get(), std::memory_order_acq_rel,
                                      std::memory_order_acquire)) {
        known = fresh.release();
    }
    return known;
}

template <class T>
void push_front(Atomic<T*>& first, T* fresh) noexcept {
    fresh->next = first.load(std::memory_order_relaxed);
    // Release pairs with the acquire of those who walk the list.
    while (!first.compare_exchange_weak(fresh->next, fresh, std::memory_order_release,
                                        std::memory_order_relaxed)) {
    }
}

class Module {
public:
    explicit Module(os::CodeModule code) : code_(std::move(code)) {
        symbols_ = os::CodeFile(code_).functions();
    }

    [[nodiscard]] bool is(const os::CodeModule& code) const {
        return code_.base == code.base && code_.build_id == code.build_id &&
               code_.path == code.path;
    }

    [[nodiscard]] std::string name(std::uintptr_t address) const {
        const std::uint64_t place = address - code_.base;
        const auto after =
            std::ranges::upper_bound(symbols_.functions, place, {}, &os::CodeSymbol::address);
        if (after != symbols_.functions.begin()) {
            const os::CodeSymbol& symbol = *std::prev(after);
            if (symbol.address == place || place - symbol.address < symbol.size) {
                return source_name(std::string(symbol.name));
            }
        }
        const std::size_t folder = code_.path.rfind('/');
        const std::string file = code_.path.empty() ? "program" : code_.path.substr(folder + 1);
        return fmt::format("{}+{:#x}", file, place);
    }

    [[nodiscard]] SourceLine line(std::uintptr_t address) const {
        const LineTable* table = lines_.load(std::memory_order_acquire);
        if (table == nullptr) {
            const os::CodeFile file(code_);
            table =
                publish(lines_, std::make_unique<const LineTable>(LineSections{
                                    file.section(".debug_line"), file.section(".debug_line_str"),
                                    file.section(".debug_str")}));
        }
        return table->find(address - code_.base);
    }

    Module* next = nullptr;

private:
    static std::string source_name(const std::string& symbol) {
        // What is not C++'s stays: "f" alone would be taken for a type.
        return symbol.starts_with("_Z") ? detail::demangle(symbol.c_str()) : symbol;
    }

    os::CodeModule code_;
    os::CodeSymbols symbols_;
    mutable Atomic<const LineTable*> lines_{nullptr};
};

struct Function {
    std::uintptr_t address = 0;
    std::uint64_t unloaded = 0;  ///< for how many unloaded modules it holds
    const Module* module = nullptr;
    std::string name{};
    mutable Atomic<const SourceLine*> line{nullptr};
    Function* next = nullptr;
};

class Places final : public weft::detail::CodePlaces {
public:
    std::string_view name(const void* function) const override { return find(function).name; }
    std::string_view filename(const void* function) const override { return line(function).file; }
    int lineno(const void* function) const override { return line(function).line; }

private:
    static const Function& find(const void* function);
    static const SourceLine& line(const void* function);
    static const Module* find_module(std::uintptr_t address);
};

constinit Atomic<Module*> modules{nullptr};
constexpr std::size_t kBuckets = 4096;
constinit std::array<Atomic<Function*>, kBuckets> functions{};

const Module* Places::find_module(std::uintptr_t address) {
    std::optional<os::CodeModule> code = os::find_code(address);
    if (!code) return nullptr;
    for (const Module* each = modules.load(std::memory_order_acquire); each != nullptr;
         each = each->next) {
        if (each->is(*code)) return each;
    }
    auto fresh = std::make_unique<Module>(*std::move(code));
    push_front(modules, fresh.get());
    return fresh.release();
}

const Function& Places::find(const void* function) {
    const auto address = reinterpret_cast<std::uintptr_t>(function);
    const std::uint64_t unloaded = os::unloaded_modules();
    // Functions begin at multiples of sixteen, mostly.
    Atomic<Function*>& bucket = functions[(address >> 4) % kBuckets];
    for (const Function* each = bucket.load(std::memory_order_acquire); each != nullptr;
         each = each->next) {
        if (each->address == address && each->unloaded == unloaded) return *each;
    }
    auto fresh = std::make_unique<Function>();
    fresh->address = address;
    fresh->unloaded = unloaded;
    fresh->module = find_module(address);
    fresh->name =
        fresh->module != nullptr ? fresh->module->name(address) : fmt::format("{:#x}", address);
    push_front(bucket, fresh.get());
    return *fresh.release();
}

const SourceLine& Places::line(const void* function) {
    const Function& found = find(function);
    const SourceLine* line = found.line.load(std::memory_order_acquire);
    if (line != nullptr) return *line;
    auto fresh = std::make_unique<const SourceLine>(
        found.module != nullptr ? found.module->line(found.address) : SourceLine());
    return *publish(found.line, std::move(fresh));
}

constinit Places all_places;

}  // namespace

const weft::detail::CodePlaces& places() noexcept {
    return all_places;
}

}  // namespace weft::trace
