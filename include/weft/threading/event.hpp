#pragma once

#include <atomic>
#include <cstdint>
#include <stop_token>
#include <string>

#include <weft/detail/atomic.hpp>
#include <weft/detail/config.hpp>
#include <weft/detail/wait_list.hpp>
#include <weft/timeout.hpp>

namespace weft::threading {

/// A flag that threads wait for.
///
/// State: unset (as built) or set. set() lets all waiting threads go, also if clear() follows at
/// once; while it is set, nobody waits. Every member may be called by any threads at once, but for
/// the destructor, which nobody may be waiting for (an assertion says so in a debug build); a
/// thread may destroy it as soon as it has found it set and no other thread is inside wait(), also
/// before the set() that made this possible has returned. What a thread wrote before set() is seen
/// by the threads that find it set.
///
///     threading::Event ready;
///     threading::Thread worker([&] { prepare(); ready.set(); });
///     if (!ready.wait(2s)) complain();
class Event {
public:
    constexpr Event() noexcept = default;
    Event(const Event&) = delete;
    Event& operator=(const Event&) = delete;
    WEFT_API ~Event();

    /// Whether it is set; a snapshot.
    [[nodiscard]] bool is_set() const noexcept {
        // Acquire pairs with the release of set(). seq_cst: see set().
        return (state_.load(std::memory_order_seq_cst) & kSet) != 0;
    }
    [[deprecated("use is_set()")]] [[nodiscard]] bool isSet() const noexcept { return is_set(); }

    /// Sets it, and lets every thread that waits now, or waits later, go on. Never blocks.
    void set() noexcept {
        // seq_cst: users order an event against another event, or against other data, as they may
        // in Python, where a lock is behind each member.
        std::uint32_t seen = state_.load(std::memory_order_relaxed);
        while ((seen & kWaiters) == 0) {
            // An exchange also if it is set already: what this thread wrote before is to be seen.
            if (state_.compare_exchange_weak(seen, kSet, std::memory_order_seq_cst,
                                             std::memory_order_relaxed)) {
                return;
            }
        }
        set_slow();
    }

    /// Unsets it: from now on threads wait. Those that a set() has let go are not held back.
    void clear() noexcept { state_.fetch_and(~kSet, std::memory_order_seq_cst); }

    /// Blocks until it is set, or until `timeout` has passed; zero and negative limits only look.
    /// Returns true when it was set, and false when the time was up. Throws weft::KeyboardInterrupt
    /// as Lock::acquire() does.
    bool wait(Timeout timeout = {}) { return is_set() || wait_within(nullptr, timeout); }

    /// The same; throws weft::Cancelled when `stop` is triggered first. An event that is set counts
    /// even if the stop was requested before.
    bool wait(std::stop_token stop, Timeout timeout = {}) {
        return is_set() || wait_within(&stop, timeout);
    }

    /// Python's text form, such as `<weft::threading::Event at 0x...: unset>`.
    [[nodiscard]] WEFT_API std::string repr() const;

private:
    friend struct detail::CoroutineAccess;

    // The bits of state_. See src/threading/event.cpp.
    static constexpr std::uint32_t kSet = 1;
    static constexpr std::uint32_t kWaiters = 2;

    WEFT_API void set_slow() noexcept;
    /// Returns true when it is set, or lists the waiter.
    WEFT_API bool see_or_list(detail::Waiter& waiter) noexcept;
    bool see_or_announce() noexcept;
    WEFT_API bool wait_within(const std::stop_token* stop, Timeout timeout);

    detail::Atomic<std::uint32_t> state_{0};
    detail::WaitList waiters_;
};

}  // namespace weft::threading
