#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <typeindex>
#include <typeinfo>
#include <vector>

#include <weft/detail/config.hpp>
#include <weft/pickle/detail/writer.hpp>

// Which C++ class has which name in Python. Entries are added and never taken away, so whoever has
// found one may keep it.

namespace weft::pickle::detail {

class ValueSource;

struct BaseCast {
    std::type_index base;
    void* (*up)(void*);
};

struct ClassEntry {
    std::string module;
    std::string qualified_name;
    std::type_index type = typeid(void);
    std::size_t size = 0;
    void (*save)(Writer&, const void*) = nullptr;
    void* (*create)() = nullptr;
    std::shared_ptr<void> (*create_shared)() = nullptr;
    void (*destroy)(void*) = nullptr;
    void (*reset)(void*) = nullptr;  ///< see reset_of()
    bool (*load)(ValueSource&, void*) = nullptr;
    std::vector<BaseCast> bases;

    /// The object as one of its registered bases, or itself; null if it is no such.
    [[nodiscard]] void* as(std::type_index wanted, void* object) const;
};

/// Enters a class under `module.name`. Throws `std::invalid_argument` if the name has no module, or
/// the class or the name has been entered otherwise.
WEFT_API void add_class(std::string_view name, ClassEntry entry);
WEFT_API const ClassEntry* find_class(std::type_index type);
WEFT_API const ClassEntry* find_class(std::string_view module, std::string_view name);

/// How often a class was entered. Acquire: whoever sees the number sees the entries.
WEFT_API std::uint32_t registrations() noexcept;

/// The entry of T, or null. Looked up only when something was entered since the last time.
template <class T>
const ClassEntry* class_entry() {
    static std::atomic<const ClassEntry*> known{nullptr};
    static std::atomic<std::uint32_t> asked{0};
    if (const ClassEntry* entry = known.load(std::memory_order_acquire)) return entry;
    const std::uint32_t now = registrations();
    if (asked.load(std::memory_order_relaxed) == now) return nullptr;
    const ClassEntry* entry = find_class(typeid(T));
    known.store(entry, std::memory_order_release);
    asked.store(now, std::memory_order_relaxed);
    return entry;
}

}  // namespace weft::pickle::detail
