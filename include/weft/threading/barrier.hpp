#pragma once

#include <cstdint>
#include <functional>
#include <stdexcept>
#include <stop_token>
#include <string>

#include <weft/detail/config.hpp>
#include <weft/detail/wait_list.hpp>
#include <weft/timeout.hpp>

namespace weft::threading {

/// A round of a Barrier that was broken, or a barrier that is.
class WEFT_API BrokenBarrierError : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
    BrokenBarrierError(const BrokenBarrierError&) noexcept = default;
    BrokenBarrierError& operator=(const BrokenBarrierError&) noexcept = default;
    ~BrokenBarrierError() override;
};

/// A meeting point for a fixed number of threads: who arrives waits until all have, and then all go
/// on; again and again.
///
/// States: filling (as built), acting while the action of a full round runs, resetting from a
/// reset() in that time until the action has ended, and broken. Every member may be called by any
/// threads at once, but for the destructor, which nobody may be waiting for (an assertion says so
/// in a debug build). A thread whose wait() has returned may destroy the barrier if nobody else
/// will use it; others of its round may still be on their way out, unless their waits had a limit
/// or a stop token. What the threads wrote before their wait() is seen by the action, and by all
/// after it.
///
/// A round is decided once: for all that had arrived it ends well, or for none. It breaks, and the
/// barrier with it, when a thread leaves before all have arrived (because its limit has passed, its
/// stop token was triggered, or Ctrl-C was pressed), by abort(), and when the action throws.
///
///     threading::Barrier phase(3, [&] { std::swap(now, next); });
///     while (compute(part)) phase.wait();             // in each of three threads
///
/// After fork, the child has the state and none of the threads that waited.
/// Unlike Python, who arrives while a full round is leaving does not have to wait for that; abort()
/// and reset() do not wait for the action and may be called by it; and a round that was complete
/// before abort() ends well for everybody.
class Barrier {
public:
    /// For `parties` threads. `action`, if there is one, is called in every round by the last
    /// thread to arrive, before any is let go. `timeout` is for waits without a limit of their own.
    /// Throws `std::invalid_argument` when `parties` is below 1.
    WEFT_API explicit Barrier(int parties, std::function<void()> action = {}, Timeout timeout = {});
    Barrier(const Barrier&) = delete;
    Barrier& operator=(const Barrier&) = delete;
    WEFT_API ~Barrier();

    /// Arrives, and blocks until all parties have and the action has run. Returns this thread's
    /// place in the order of arrival, from 0 to parties() - 1, so that one can be chosen for a
    /// task.
    ///
    /// `timeout`, or without one the constructor's, limits the wait for the others' arrival, but
    /// not the action. When it has passed the barrier is broken; zero and negative limits break it
    /// unless this thread is the last.
    ///
    /// Throws BrokenBarrierError when the barrier is broken, breaks, or is reset meanwhile; what
    /// the action throws, in the thread that ran it; `std::runtime_error` when called by the
    /// action; weft::KeyboardInterrupt as Lock::acquire() does, and the barrier is then broken.
    WEFT_API int wait(Timeout timeout = {});

    /// The same; throws weft::Cancelled when `stop` is triggered before all have arrived, and the
    /// barrier is then broken. The last to arrive goes on even if the stop was requested before.
    WEFT_API int wait(std::stop_token stop, Timeout timeout = {});

    /// Makes the barrier empty and whole: threads that wait get BrokenBarrierError, later ones form
    /// a new round. Never blocks.
    WEFT_API void reset() noexcept;

    /// Breaks the barrier: threads that wait get BrokenBarrierError, and so do later ones until
    /// reset(). Never blocks.
    WEFT_API void abort() noexcept;

    /// How many threads a round needs.
    [[nodiscard]] int parties() const noexcept { return parties_; }
    /// How many threads have arrived in the round that is not complete yet; a snapshot.
    [[nodiscard]] WEFT_API int n_waiting() const noexcept;
    /// Whether it is broken; a snapshot.
    [[nodiscard]] WEFT_API bool broken() const noexcept;

    /// Python's text form, such as `<weft::threading::Barrier at 0x...: waiters=1/3>`, or `broken`.
    [[nodiscard]] WEFT_API std::string repr() const;

private:
    enum class State : std::uint8_t { filling, acting, resetting, broken };
    enum class Outcome : std::uint8_t { open, released, broken, again };
    struct Arrival;
    class View;

    int wait_within(const std::stop_token* stop, Timeout timeout);
    int act(int index);
    void end_action(bool has_succeeded);
    bool give_up(Arrival& arrival) noexcept;

    const int parties_;
    // Guarded by the list's lock, and mutable since the first look after a fork changes them.
    mutable int arrived_ = 0;  ///< in this round
    mutable State state_ = State::filling;
    mutable std::uint64_t actor_ = 0;  ///< the number of the thread in the action; 0 for none
    const Timeout timeout_;
    const std::function<void()> action_;
    mutable detail::WaitList waiters_;
};

}  // namespace weft::threading
