#pragma once

#include <concepts>
#include <cstddef>
#include <exception>
#include <memory>
#include <stop_token>
#include <type_traits>
#include <utility>

#include <weft/concurrent/futures/executor.hpp>
#include <weft/detail/config.hpp>
#include <weft/timeout.hpp>

namespace weft::detail {

/// What a TaskGroup shares with the futures of its calls.
class TaskGroupState;

struct WEFT_API TaskGroupAccess {
    static std::shared_ptr<TaskGroupState> make();
    static void require_open(TaskGroupState& group);
    static void add(const std::shared_ptr<TaskGroupState>& group, FutureState& call);
    static void wait(TaskGroupState& group, const WaitLimits& limits);
    static void stop(TaskGroupState& group) noexcept;
    static void finish(TaskGroupState& group) noexcept;
    static std::size_t size(TaskGroupState& group) noexcept;
};

}  // namespace weft::detail

namespace weft::concurrent::futures {

/// Calls that belong together: a scope that is left only when all of them have ended, and in which
/// the first failure stops the others.
///
/// When a call fails, those of the group that have not begun are cancelled, those that run are
/// asked to stop, by the stop token that they may take, and wait() throws what the first one threw.
/// A call that is cancelled by others is no failure. Calls of the group may submit further calls to
/// it.
///
/// The destructor waits for all calls, against Ctrl-C too; while an exception unwinds it stops them
/// first. A failure that no wait() has thrown then goes to `weft::unraisablehook`.
///
///     futures::TaskGroup group(pool);
///     group.submit(f1);
///     group.submit(f2);
///     group.wait();
///
/// Every member may be called by any threads at once, but for the destructor. The executor must
/// live as long. Python has none; it is close to `asyncio.TaskGroup`.
class TaskGroup {
public:
    /// Throws `std::bad_alloc`.
    explicit TaskGroup(Executor& executor)
        : executor_(executor), state_(detail::TaskGroupAccess::make()) {}
    TaskGroup(const TaskGroup&) = delete;
    TaskGroup& operator=(const TaskGroup&) = delete;
    ~TaskGroup() {
        if (std::uncaught_exceptions() > unwinding_) stop();
        detail::TaskGroupAccess::finish(*state_);
    }

    /// Submits a call to the executor, as that does, and adds it to the group. Throws what that
    /// throws, `std::bad_alloc`, and CancelledError when the group was stopped; nothing was
    /// submitted then.
    template <class Target, class... Args>
        requires(!std::same_as<std::decay_t<Target>, SubmitOptions>)
    auto submit(Target&& target, Args&&... args) -> Future<detail::task_result_t<Target, Args...>> {
        detail::TaskGroupAccess::require_open(*state_);
        auto future = executor_.submit(std::forward<Target>(target), std::forward<Args>(args)...);
        detail::TaskGroupAccess::add(state_, detail::FutureAccess::state(future));
        return future;
    }
    template <class Target, class... Args>
    auto submit(SubmitOptions options, Target&& target, Args&&... args)
        -> Future<detail::task_result_t<Target, Args...>> {
        detail::TaskGroupAccess::require_open(*state_);
        auto future = executor_.submit(std::move(options), std::forward<Target>(target),
                                       std::forward<Args>(args)...);
        detail::TaskGroupAccess::add(state_, detail::FutureAccess::state(future));
        return future;
    }

    /// Blocks until all calls have ended, those included that are added meanwhile; then throws what
    /// the first failure was, once. Throws TimeoutError when `timeout` has passed, and
    /// weft::KeyboardInterrupt; the group stays as it is then. May be called again.
    void wait(Timeout timeout = {}) {
        detail::TaskGroupAccess::wait(*state_, {.deadline = detail::Deadline::after(timeout)});
    }
    /// The same; throws weft::Cancelled when `stop` is triggered first.
    void wait(std::stop_token stop, Timeout timeout = {}) {
        detail::TaskGroupAccess::wait(
            *state_, {.deadline = detail::Deadline::after(timeout), .stop = &stop});
    }

    /// Cancels the calls that have not begun, asks those that run to stop, and lets no further ones
    /// in.
    void stop() noexcept { detail::TaskGroupAccess::stop(*state_); }

    /// How many calls have not ended; a snapshot.
    [[nodiscard]] std::size_t size() const noexcept {
        return detail::TaskGroupAccess::size(*state_);
    }

private:
    Executor& executor_;
    std::shared_ptr<detail::TaskGroupState> state_;
    int unwinding_ = std::uncaught_exceptions();
};

}  // namespace weft::concurrent::futures
