#pragma once

#include <concepts>
#include <cstddef>
#include <initializer_list>
#include <limits>
#include <memory>
#include <ranges>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <weft/concurrent/futures/await.hpp>
#include <weft/concurrent/futures/future.hpp>
#include <weft/concurrent/futures/map.hpp>
#include <weft/detail/future_value.hpp>

namespace weft::concurrent::futures {

/// How one call is submitted; each member may be left out.
struct SubmitOptions {
    /// Higher ones are started first by executors that know priorities; others ignore it.
    int priority = 0;
    /// For messages and timelines; empty for none.
    std::string name = {};
};

/// How an executor is shut down; each member may be left out.
struct ShutdownOptions {
    bool wait = true;             ///< whether to block until all submitted calls have ended
    bool cancel_futures = false;  ///< whether to cancel those that have not begun
};

/// One submitted call, as an executor holds it: run it once, on any thread, or cancel it.
///
/// Movable, with one owner; not for two threads at once. A task that is dropped without having been
/// run is cancelled, so that nobody waits for it in vain.
class WEFT_API Task {
public:
    /// No task.
    Task() noexcept = default;
    Task(Task&& other) noexcept : state_(std::exchange(other.state_, nullptr)) {}
    Task& operator=(Task&& other) noexcept {
        Task(std::move(other)).swap(*this);
        return *this;
    }
    Task(const Task&) = delete;
    Task& operator=(const Task&) = delete;
    ~Task() {
        if (state_ != nullptr) drop();
    }

    [[nodiscard]] explicit operator bool() const noexcept { return state_ != nullptr; }

    /// Makes the call, unless it was cancelled, and ends its future; afterwards this is no task.
    /// What the call throws goes into the future. The call, and what it captured, is destroyed
    /// before anybody sees the future done. Throws nothing; a call that ends its thread
    /// (pthread_exit()) ends the future with BrokenExecutor.
    void run();

    /// Cancels the future, unless that was done; afterwards this is no task.
    void cancel() noexcept { Task dropped(std::move(*this)); }

    /// What was given in SubmitOptions. Not for no task.
    [[nodiscard]] int priority() const noexcept;
    [[nodiscard]] std::string_view name() const noexcept;

    /// For executors of Weft: the state, with the task's share of it; afterwards this is no task.
    [[nodiscard]] detail::FutureState* release_state() noexcept {
        return std::exchange(state_, nullptr);
    }

private:
    friend class Executor;
    friend struct detail::FutureAccess;

    /// Takes over the task's share of the state.
    explicit Task(detail::FutureState& state) noexcept : state_(&state) {}
    void swap(Task& other) noexcept { std::swap(state_, other.state_); }
    void drop() noexcept;

    detail::FutureState* state_ = nullptr;
};

/// Something that runs calls, now or later, here or elsewhere. The base of all pools, and of your
/// own executors: a class derives, implements enqueue() and stop(), and calls shutdown() in its
/// destructor.
///
/// Every member may be called by any threads at once, but for the destructor.
class WEFT_API Executor {
public:
    Executor() = default;
    Executor(const Executor&) = delete;
    Executor& operator=(const Executor&) = delete;
    virtual ~Executor();

    /// Hands over a call of the target with the arguments, all of which are copied or moved in now
    /// and moved into the call: functions, objects with an operator(), and pointers to members. A
    /// target that cannot be called with the arguments alone, but with a `std::stop_token` before
    /// them, gets one that Future::request_stop() triggers. The call runs in a copy of the context
    /// (weft::contextvars) that it was submitted in. Returns the future of what it returns.
    ///
    /// Throws what the copies throw, `std::bad_alloc`, and what the executor refuses a task with:
    /// `std::runtime_error` once it was shut down, BrokenExecutor when it cannot run tasks. Nothing
    /// was submitted then. Blocks if the executor bounds how many calls may wait.
    template <class Target, class... Args>
        requires(!std::same_as<std::decay_t<Target>, SubmitOptions>)
    auto submit(Target&& target, Args&&... args) -> Future<detail::task_result_t<Target, Args...>> {
        return hand_over(make_call(std::forward<Target>(target), std::forward<Args>(args)...));
    }

    /// The same, with options: `submit({.priority = 5, .name = "index"}, build, path)`.
    template <class Target, class... Args>
    auto submit(SubmitOptions options, Target&& target, Args&&... args)
        -> Future<detail::task_result_t<Target, Args...>> {
        return hand_over(make_call(std::move(options), std::forward<Target>(target),
                                   std::forward<Args>(args)...));
    }

    /// Calls the function for the elements of a range, or for those of several ranges that are run
    /// through together, to the end of the shortest; returns the results as a range, in the order
    /// of the inputs. All calls are submitted now, and all inputs read, copied, and moved into the
    /// call; from a range that is given as an rvalue they are moved out. The function is called by
    /// several threads at once, always the same copy of it.
    ///
    /// Throws what submit() throws, and what the ranges throw; then the calls that have not begun
    /// are cancelled. See MapResults for where what the calls throw goes.
    ///
    ///     for (int n : pool.map(square, numbers)) use(n);
    template <class Function, std::ranges::input_range... Ranges>
        requires detail::mappable<Function, Ranges...>
    auto map(Function&& function, Ranges&&... ranges)
        -> MapResults<detail::map_result_t<Function, Ranges...>> {
        return map(MapOptions{}, std::forward<Function>(function), std::forward<Ranges>(ranges)...);
    }
    template <class Function, class T>
        requires detail::mappable<Function, std::initializer_list<T>>
    auto map(Function&& function, std::initializer_list<T> inputs)
        -> MapResults<detail::map_result_t<Function, std::initializer_list<T>>> {
        return map(MapOptions{}, std::forward<Function>(function), std::vector<T>(inputs));
    }

    /// The same, with options. Throws `std::invalid_argument` for a buffersize below one. With a
    /// buffersize, inputs are read while results are taken: ranges that are given as lvalues, and
    /// the executor, must live as long as the results.
    template <class Function, std::ranges::input_range... Ranges>
        requires detail::mappable<Function, Ranges...>
    auto map(MapOptions options, Function&& function, Ranges&&... ranges)
        -> MapResults<detail::map_result_t<Function, Ranges...>> {
        using R = detail::map_result_t<Function, Ranges...>;
        using Pull = detail::ZippedInputs<std::views::all_t<Ranges>...>;
        using Job = detail::MapJobOf<R, std::decay_t<Function>, Pull, typename Pull::Arguments>;
        const detail::Deadline deadline = detail::Deadline::after(options.timeout);
        auto job = std::make_shared<Job>(std::forward<Function>(function),
                                         Pull(std::views::all(std::forward<Ranges>(ranges))...),
                                         detail::inputs_at_once(options));
        job->set_width(map_width());
        MapResults<R> results(job, deadline, options.buffersize ? this : nullptr);
        submit_drivers(job, job->available());
        return results;
    }
    template <class Function, class T>
        requires detail::mappable<Function, std::initializer_list<T>>
    auto map(MapOptions options, Function&& function, std::initializer_list<T> inputs)
        -> MapResults<detail::map_result_t<Function, std::initializer_list<T>>> {
        // Moved in, since a buffersize would read it after this call.
        return map(options, std::forward<Function>(function), std::vector<T>(inputs));
    }

    /// Takes no further calls: submit() then throws `std::runtime_error`. With `wait`, blocks until
    /// all that were submitted have ended; with `cancel_futures`, those that have not begun are
    /// cancelled. May be called again, by any thread.
    void shutdown(ShutdownOptions options = {}) { stop(options); }

protected:
    /// Takes a task that is to be run; throws, without taking it, to refuse.
    virtual void enqueue(Task task) = 0;

    /// What shutdown() does.
    virtual void stop(ShutdownOptions options) = 0;

    /// How many tasks at most should make the calls of one map(), one after the other; 0: each call
    /// is a task.
    [[nodiscard]] virtual std::size_t map_width() const noexcept { return 0; }

    /// The state of a call that is about to be submitted.
    template <class Target, class... Args>
        requires(!std::same_as<std::decay_t<Target>, SubmitOptions>)
    static auto make_call(Target&& target, Args&&... args) {
        using Result = detail::task_result_t<Target, Args...>;
        using Call = detail::TaskCall<std::decay_t<Target>, std::decay_t<Args>...>;
        return new detail::FutureTask<Result, Call>(
            detail::NoTaskOptions(), std::forward<Target>(target), std::forward<Args>(args)...);
    }
    template <class Target, class... Args>
    static auto make_call(SubmitOptions options, Target&& target, Args&&... args) {
        using Result = detail::task_result_t<Target, Args...>;
        using Call = detail::TaskCall<std::decay_t<Target>, std::decay_t<Args>...>;
        return new detail::FutureTask<Result, Call, SubmitOptions>(
            std::move(options), std::forward<Target>(target), std::forward<Args>(args)...);
    }

private:
    friend struct detail::FutureAccess;

    /// As many tasks as the job needs for this many further calls.
    void submit_drivers(const std::shared_ptr<detail::MapJob>& job, std::size_t calls);

    template <class T>
    Future<T> hand_over(detail::FutureValue<T>* state) {
        auto future = detail::FutureAccess::adopt(*state);
        enqueue(Task(*state));
        return future;
    }
};

}  // namespace weft::concurrent::futures
