#pragma once

#include <cstdint>

#include <weft/detail/atomic.hpp>
#include <weft/detail/config.hpp>
#include <weft/detail/wait_list.hpp>

namespace weft::detail {

/// How many of the items that were put into a queue are not done yet, and who waits until none is.
///
/// A queue counts its puts anyway, in a number that only grows. Kept here is how many are done,
/// which only grows too and never passes the former. So a put need not touch the count; and when
/// the two are found equal, the one that is read first first, then they were equal at that moment.
class TaskCount {
public:
    /// `put`: how many items were ever put; lives longer than this.
    explicit constexpr TaskCount(const Atomic<std::uint64_t>& put) noexcept : put_(put) {}
    TaskCount(const TaskCount&) = delete;
    TaskCount& operator=(const TaskCount&) = delete;

    /// Asserts that nobody waits. A thread whose finish_one() let a waiter go may still be inside;
    /// it is waited for.
    WEFT_API ~TaskCount();

    /// Counts one item as done. Returns false, and does nothing, when all are.
    [[nodiscard]] bool finish_one() noexcept {
        std::uint64_t done = done_.load(std::memory_order_acquire);
        for (;;) {
            const std::uint64_t put = put_.load(std::memory_order_acquire);
            if (put == done) return false;
            if (put == done + 1) return finish(1) == 1;
            // Not the last one, and later puts cannot make it so. Release: whoever sees all done
            // sees what this thread did before.
            if (done_.compare_exchange_weak(done, done + 1, std::memory_order_acq_rel,
                                            std::memory_order_acquire)) {
                return true;
            }
        }
    }

    /// Counts up to `most` items as done, as many as there are. Returns how many.
    WEFT_API std::uint64_t finish(std::uint64_t most) noexcept;
    /// The same for a caller that holds a lock: whom to wake, once it is released, is added to
    /// `joiners`.
    WEFT_API std::uint64_t finish(std::uint64_t most, WakeChain& joiners) noexcept;

    /// Waits until no item is unfinished.
    [[nodiscard]] WEFT_API WaitEnd join(const WaitLimits& limits) noexcept;

    [[nodiscard]] std::uint64_t unfinished() const noexcept {
        const std::uint64_t done = done_.load(std::memory_order_seq_cst);
        return put_.load(std::memory_order_seq_cst) - done;
    }

private:
    const Atomic<std::uint64_t>& put_;
    Atomic<std::uint64_t> done_{0};
    WaitList joiners_;
};

}  // namespace weft::detail
