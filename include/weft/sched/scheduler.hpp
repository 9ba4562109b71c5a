#pragma once

#include <chrono>
#include <concepts>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <weft/detail/config.hpp>
#include <weft/sched/event.hpp>
#include <weft/timeout.hpp>

namespace weft::sched {

namespace detail {

class SchedulerState;

template <class T>
inline constexpr bool is_duration = false;
template <class Rep, class Period>
inline constexpr bool is_duration<std::chrono::duration<Rep, Period>> = true;
template <class T>
inline constexpr bool is_time_point = false;
template <class Clock, class Duration>
inline constexpr bool is_time_point<std::chrono::time_point<Clock, Duration>> = true;

/// What a clock may return, or a time or a delay be given as: a number of whatever unit the clock
/// counts in, or a length of time, which is taken as seconds.
template <class T>
concept clock_value = weft::detail::seconds_number<T> || is_duration<std::remove_cvref_t<T>> ||
                      is_time_point<std::remove_cvref_t<T>>;

template <class T>
concept delay_value = weft::detail::seconds_number<T> || is_duration<std::remove_cvref_t<T>>;

template <clock_value T>
constexpr double units_of(const T& value) {
    if constexpr (weft::detail::seconds_number<T>) {
        return static_cast<double>(value);
    } else if constexpr (is_duration<T>) {
        return std::chrono::duration<double>(value).count();
    } else {
        return units_of(value.time_since_epoch());
    }
}

template <class F>
concept time_function = std::invocable<F&> && clock_value<std::invoke_result_t<F&>>;

template <class F>
concept delay_function =
    std::invocable<F&, double> || std::invocable<F&, std::chrono::duration<double>>;

}  // namespace detail

/// Runs actions at their times, in a fixed order: Python's `sched.scheduler`.
///
/// It holds events, ordered by time, then by priority (lower numbers first), then by the order in
/// which they were entered. They run on the thread that calls run(), one after the other; none is
/// ever left out because others took long, it is only late.
///
///     sched::scheduler s;
///     s.enter(10s, 1, print, "ten seconds later");
///     auto event = s.enter(5s, 1, [&] { refresh(page); });
///     s.cancel(event);
///     s.run();
///
/// The clock is Weft's own, the steady clock in seconds, unless another is given; a ManualClock
/// moves it in tests. Times are numbers of the clock's unit, or durations, which are seconds.
///
/// Every member but the destructor may be called by any threads at once, and also by an action that
/// runs. Several threads may run one scheduler: each event runs once, and they are taken in order.
/// No lock is held while the clock, the delay function or an action is called, nor while an action
/// or argument is copied or destroyed. What a thread wrote before it entered an event is seen by
/// its action.
///
/// It stays where it was built: neither copied nor moved. Its destructor drops the events that are
/// left. To destroy a scheduler that a thread runs is a mistake, which an assertion reports in
/// debug builds. It keeps some memory of its largest size until then.
///
/// A child of fork() has the events, and nobody runs them there. If another thread was inside a
/// member at that moment, the child's copy may be half changed: all its members then throw
/// `std::runtime_error`.
class scheduler {
public:
    /// On Weft's clock, waiting on it. Throws `std::bad_alloc`.
    WEFT_API scheduler();

    /// On another clock: `timefunc()` returns the time, as a number of any unit, a duration or a
    /// time_point. Waits as if its unit were seconds. Throws `std::bad_alloc`, and what copying
    /// the functions throws.
    template <detail::time_function TimeFunction>
        requires(!std::same_as<std::decay_t<TimeFunction>, scheduler>)
    explicit scheduler(TimeFunction timefunc)
        : scheduler(erase_clock(std::move(timefunc)), DelayFunction()) {}

    /// The same, and `delayfunc(difference)` is to wait until the clock has moved on by that much;
    /// it gets a `double`, or, if it takes none, a `std::chrono::duration<double>`. It is also
    /// called with zero after each action, as a chance for others to run. It need not wait: run()
    /// looks at the clock again when it returns.
    template <detail::time_function TimeFunction, detail::delay_function Delay>
    scheduler(TimeFunction timefunc, Delay delayfunc)
        : scheduler(erase_clock(std::move(timefunc)), erase_delay(std::move(delayfunc))) {}

    scheduler(const scheduler&) = delete;
    scheduler& operator=(const scheduler&) = delete;
    WEFT_API ~scheduler();

    /// Schedules `action(args...)` for an absolute time of the clock. Action and arguments are
    /// copied or moved in now, and destroyed when the event has run or was cancelled and no copy of
    /// the Event is left. An action that can take them as constants gets them so; another gets them
    /// moved. A time that has passed is due at once; one that is infinitely late never is.
    ///
    /// Wakes run() when it waits for a later event. Never blocks. Throws `std::invalid_argument`
    /// when the time is not a number, what the copies throw, and `std::bad_alloc`; then nothing was
    /// scheduled.
    template <detail::clock_value Time, class Action, class... Args>
        requires detail::event_action<Action, Args...>
    Event enterabs(const Time& time, std::int64_t priority, Action&& action, Args&&... args) {
        return link(detail::units_of(time), priority,
                    record_of(std::forward<Action>(action), std::forward<Args>(args)...));
    }

    /// The same for a time `delay` from now. Throws what the clock throws as well.
    template <detail::delay_value Delay, class Action, class... Args>
        requires detail::event_action<Action, Args...>
    Event enter(const Delay& delay, std::int64_t priority, Action&& action, Args&&... args) {
        const double time = due_after(detail::units_of(delay));
        return link(time, priority,
                    record_of(std::forward<Action>(action), std::forward<Args>(args)...));
    }

    /// Removes an event: exactly this one, among any that look like it. Wakes run() when it waits
    /// for this event. Never blocks. Throws `std::invalid_argument` when the event is not in the
    /// queue: it has run, or is running, was cancelled, or belongs to another scheduler.
    WEFT_API void cancel(const Event& event);

    /// True when no event is queued; a snapshot. An event that is running is not queued any more.
    [[nodiscard]] WEFT_API bool empty() const;

    /// Runs events as they become due, and waits in between, until none is left.
    ///
    /// Each is removed before its action runs. An exception of an action, of the clock or of the
    /// delay function goes on to the caller; the other events are left as they are, and a later
    /// run() goes on with them. While it waits, an event that another thread enters for an earlier
    /// time wakes it, unless the scheduler has a delay function of its own: run() then looks again
    /// when that returns. Throws weft::KeyboardInterrupt on the main thread as Lock::acquire()
    /// does.
    WEFT_API void run();

    /// The same with `blocking` true, and then returns nothing. With false, runs what is due and
    /// returns, without waiting, how long it is until the next event; nothing when none is left.
    std::optional<double> run(std::same_as<bool> auto blocking) {
        return run_events(blocking, nullptr);
    }

    /// As run(); throws weft::Cancelled, with the events that have not run still queued, once
    /// `stop` is triggered and events are left. A running action, or delay function, is not
    /// interrupted.
    WEFT_API void run(std::stop_token stop);

    /// The queued events in the order in which they would run; a copy. Throws `std::bad_alloc`.
    [[nodiscard]] WEFT_API std::vector<Event> queue() const;

    /// What the clock says now.
    [[nodiscard]] WEFT_API double timefunc() const;
    /// Waits for so many units, by the delay function if there is one. Throws
    /// `std::invalid_argument` for a number of units that is not a number.
    WEFT_API void delayfunc(double delay) const;

private:
    using TimeFunction = std::function<double()>;
    using DelayFunction = std::function<void(double)>;

    WEFT_API scheduler(TimeFunction timefunc, DelayFunction delayfunc);

    template <class F>
    static TimeFunction erase_clock(F timefunc) {
        return [timefunc = std::move(timefunc)]() mutable {
            return detail::units_of(std::invoke(timefunc));
        };
    }
    template <class F>
    static DelayFunction erase_delay(F delayfunc) {
        return [delayfunc = std::move(delayfunc)](double delay) mutable {
            if constexpr (std::invocable<F&, double>) {
                std::invoke(delayfunc, delay);
            } else {
                std::invoke(delayfunc, std::chrono::duration<double>(delay));
            }
        };
    }

    template <class Action, class... Args>
    detail::EventRecord& record_of(Action&& action, Args&&... args) {
        using Record = detail::BoundEvent<std::decay_t<Action>, std::decay_t<Args>...>;
        return *new Record(this, std::forward<Action>(action), std::forward<Args>(args)...);
    }
    /// Puts the record in its place, or discards it and throws.
    Event link(double time, std::int64_t priority, detail::EventRecord& record) {
        enter_record(time, priority, record);
        return Event(record);
    }

    WEFT_API double due_after(double delay) const;
    WEFT_API void enter_record(double time, std::int64_t priority, detail::EventRecord& record);
    WEFT_API std::optional<double> run_events(bool blocking, const std::stop_token* stop);

    std::unique_ptr<detail::SchedulerState> state_;
};

}  // namespace weft::sched
