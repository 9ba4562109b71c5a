#pragma once

#include <atomic>

#include <weft/detail/config.hpp>

// What a lock tells the checker of threading::check_lock_order(). src/detail/lock_order.cpp says
// what becomes of it.

namespace weft::detail {

/// A plain atomic, since no engine coordinates through it.
WEFT_API extern constinit std::atomic<bool> lock_order_checked;

/// Whether locks are to call the functions below. Relaxed: a lock that is taken unseen is released
/// unseen.
[[nodiscard]] inline bool is_lock_order_checked() noexcept {
    return lock_order_checked.load(std::memory_order_relaxed);
}

/// The calling thread is about to wait for a lock, without a limit. Gives a warning, and throws
/// what the handler of warnings throws, when another order of locks was seen before.
WEFT_API void lock_is_wanted(const void* lock);
/// The calling thread has the lock.
WEFT_API void lock_is_taken(const void* lock) noexcept;
/// Some thread releases the lock.
WEFT_API void lock_is_released(const void* lock) noexcept;
/// The lock is no more.
WEFT_API void lock_is_gone(const void* lock) noexcept;

/// See threading::check_lock_order().
bool set_lock_order_check(bool on) noexcept;

}  // namespace weft::detail
