#pragma once

#include <cstddef>
#include <cstdint>

#include <weft/detail/atomic.hpp>
#include <weft/detail/config.hpp>

// What threading::local is made of. src/detail/local_slot.cpp has the protocol.

namespace weft::detail {

/// One thread's value of one local.
struct LocalEntry {
    void* value = nullptr;  ///< null until the thread touches the local
    void (*destroy)(void* value) noexcept = nullptr;
};

/// A thread's values, by the locals' numbers.
struct LocalTable {
    LocalEntry* entries = nullptr;
    std::size_t size = 0;
};

/// The calling thread's. Has neither constructor nor destructor, so that it can be used from the
/// thread's first instruction to its last.
WEFT_API extern constinit thread_local LocalTable this_thread_locals;

/// How a local makes its values. Written once, before the first touch.
struct LocalMaker {
    void* (*construct)(const LocalMaker& self) = nullptr;
    void (*destroy_value)(void* value) noexcept = nullptr;
    /// Null for a maker that is never destroyed.
    void (*destroy_self)(LocalMaker* self) noexcept = nullptr;
    LocalMaker* next = nullptr;
};

struct LocalNumber;

/// The part of a threading::local that does not depend on its type.
class LocalSlot {
public:
    constexpr LocalSlot() noexcept = default;
    LocalSlot(const LocalSlot&) = delete;
    LocalSlot& operator=(const LocalSlot&) = delete;

    /// The calling thread's value; null if it has none yet.
    [[nodiscard]] void* find() const noexcept {
        // Acquire pairs with the release in require_number(), for a number that another thread has
        // taken: the values that an older local had under it are off all tables.
        const std::uint32_t number = number_.load(std::memory_order_acquire);
        const LocalTable& table = this_thread_locals;
        return number < table.size ? table.entries[number].value : nullptr;
    }

    /// Makes the calling thread's value. Throws what the maker throws, `std::bad_alloc`,
    /// `std::system_error` when the thread's end cannot be watched, and `std::runtime_error` when
    /// the value is being made already.
    [[nodiscard]] WEFT_API void* make(const LocalMaker& maker);

    /// Destroys the values of all threads and gives the number back.
    WEFT_API void destroy(LocalMaker* maker) noexcept;

private:
    void require_number();

    Atomic<std::uint32_t> number_{0};  ///< zero until the first touch; no table has a value there
    LocalNumber* place_ = nullptr;     ///< what owns the number
};

}  // namespace weft::detail
