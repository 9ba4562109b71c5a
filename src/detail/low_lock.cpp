#include <weft/detail/low_lock.hpp>

#include "os/cpu.hpp"
#include "os/futex.hpp"

namespace weft::detail {

void LowLock::lock_slow() noexcept {
    // A holder is out again within nanoseconds, unless it lost its CPU: a few looks, then sleep.
    constexpr int kLooks = 24;
    for (int look = 0;; ++look) {
        // Each time anew: a signal handler may fork while this thread sleeps below.
        const std::uint32_t mine = fork_generation.load(std::memory_order_relaxed);
        std::uint32_t seen = word_.load(std::memory_order_relaxed);
        const bool patient = look < kLooks && os::usable_cpus() > 1;
        const bool is_free = seen == 0 || (seen & ~kContended) != mine;
        if (is_free) {
            // A thread that may have slept cannot know whether others still do, so it takes the
            // lock as contended.
            const std::uint32_t taken = look < kLooks ? mine : mine | kContended;
            if (word_.compare_exchange_weak(seen, taken, std::memory_order_acquire,
                                            std::memory_order_relaxed)) {
                return;
            }
            continue;
        }
        if (patient) {
            os::pause();
            continue;
        }
        look = kLooks;
        if ((seen & kContended) == 0 &&
            !word_.compare_exchange_weak(seen, seen | kContended, std::memory_order_relaxed,
                                         std::memory_order_relaxed)) {
            continue;
        }
        os::futex_wait(word_, mine | kContended, os::kNoDeadline);
    }
}

void LowLock::wake_one() noexcept {
    os::futex_wake(word_, 1);
}

}  // namespace weft::detail
