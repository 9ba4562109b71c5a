#pragma once

#include <cstdint>

#include <weft/detail/atomic.hpp>
#include <weft/detail/config.hpp>

namespace weft::detail {

/// Counts the forks between the first process and this one, in steps of two and beginning at two.
/// A word that was locked under another number was locked by a thread that this process does not
/// have. Written only by the fork handler of a child, which has one thread.
WEFT_API extern Atomic<std::uint32_t> fork_generation;

/// The lock of Weft's own data structures: held for a few instructions, never while user code runs,
/// never across a wait.
///
/// States of the word: 0 free; g (even) held by a thread of fork generation g, nobody sleeps;
/// g | 1 held, and somebody may sleep.
///
/// After fork, a LowLock whose word carries an older generation is free: its holder lives in the
/// parent only. What it guards must therefore be consistent after every single store, or carry its
/// own generation and be emptied (as WaitList is).
class LowLock {
public:
    constexpr LowLock() noexcept = default;
    LowLock(const LowLock&) = delete;
    LowLock& operator=(const LowLock&) = delete;

    void lock() noexcept {
        std::uint32_t seen = 0;
        const std::uint32_t mine = fork_generation.load(std::memory_order_relaxed);
        // Acquire pairs with the release of unlock().
        if (!word_.compare_exchange_strong(seen, mine, std::memory_order_acquire,
                                           std::memory_order_relaxed)) {
            lock_slow();
        }
    }

    /// The word is not touched after it has become free, so whoever takes the lock next may
    /// destroy it.
    void unlock() noexcept {
        if ((word_.exchange(0, std::memory_order_release) & kContended) != 0) wake_one();
    }

private:
    static constexpr std::uint32_t kContended = 1;

    WEFT_API void lock_slow() noexcept;
    WEFT_API void wake_one() noexcept;

    FutexWord word_{0};
};

}  // namespace weft::detail
