#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <stop_token>
#include <type_traits>
#include <typeinfo>
#include <utility>

#include <weft/detail/atomic.hpp>
#include <weft/detail/config.hpp>
#include <weft/detail/thread_body.hpp>
#include <weft/threading/event.hpp>
#include <weft/threading/thread.hpp>
#include <weft/timeout.hpp>

namespace weft::detail {

/// What the thread of a Timer runs: a wait, then the function.
class WEFT_API TimerBody final : public ThreadBody {
public:
    TimerBody(Timeout interval, std::unique_ptr<ThreadBody> function) noexcept
        : interval_(interval), function_(std::move(function)) {}

    void run(const std::stop_token& stop) override;
    [[nodiscard]] bool takes_stop_token() const noexcept override { return true; }
    /// The class that its handles have.
    [[nodiscard]] const std::type_info* type() const noexcept override;
    bool cancel() noexcept;

private:
    /// `waiting` until either the thread or cancel() decides, which happens once.
    enum class Fate : std::uint8_t { waiting, running, cancelled };

    const Timeout interval_;
    std::unique_ptr<ThreadBody> function_;  ///< belongs to whoever has set is_taken_
    Atomic<bool> is_taken_{false};
    Atomic<Fate> fate_{Fate::waiting};
    threading::Event is_over_;
};

}  // namespace weft::detail

namespace weft::threading {

/// A thread that calls a function after an interval, unless it is cancelled before.
///
/// It is a Thread, with all its members, and a handle: a copy means the same timer. The interval
/// begins when the thread runs, that is, with start(), and is measured by Weft's clock, so that a
/// ManualClock moves it. States: waiting, then either running, in which the function is called
/// once, or cancelled; which of the two is decided once. Every member may be called by any threads
/// at once, but for the assignment and the destructor of one handle. Dropping the handles does not
/// cancel it.
///
///     threading::Timer timer(30s, refresh, session);
///     timer.start();
///     timer.cancel();
///
/// An exception that leaves the function goes to `threading::excepthook`. request_stop(), before
/// the interval has passed, cancels the timer; a function that takes a `std::stop_token` before its
/// arguments gets the thread's.
///
/// run() on the calling thread waits there, calls the function there, and works once.
///
/// Unlike Python, a cancel() that returns true is never too late: the function is not called. The
/// function and its arguments are destroyed when the thread has done with them.
class Timer : public Thread {
public:
    /// A timer that calls the function with the arguments, all of which are copied or moved in now
    /// and moved into the call. No interval at all waits until it is cancelled; zero and negative
    /// ones do not wait. Throws what the copies throw, and `std::bad_alloc`.
    template <class Function, class... Args>
        requires detail::thread_target<Function, Args...>
    explicit Timer(Timeout interval, Function&& function, Args&&... args)
        : Timer(ThreadOptions{}, interval, std::forward<Function>(function),
                std::forward<Args>(args)...) {}

    /// The same, with a name or as a daemon: `Timer({.name = "refresh"}, 30s, refresh)`.
    template <class Function, class... Args>
        requires detail::thread_target<Function, Args...>
    Timer(ThreadOptions options, Timeout interval, Function&& function, Args&&... args)
        : Timer(std::move(options),
                std::make_shared<detail::TimerBody>(
                    interval, detail::bind_body(std::forward<Function>(function),
                                                std::forward<Args>(args)...))) {}

    /// Stops a timer that still waits, or has not been started: its function will not be called,
    /// and its thread ends. Never blocks. Returns whether the timer is cancelled, now or by an
    /// earlier call; false once the function is being called or has been.
    bool cancel() const noexcept { return body_->cancel(); }

private:
    Timer(ThreadOptions options, const std::shared_ptr<detail::TimerBody>& body)
        : Thread(std::move(options), std::shared_ptr<detail::ThreadBody>(body)),
          body_(body.get()) {}

    detail::TimerBody* body_;  ///< owned by the Thread
};

}  // namespace weft::threading

/// Equal handles have equal hashes.
template <>
struct std::hash<weft::threading::Timer> : std::hash<weft::threading::Thread> {};
