#pragma once

#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include <weft/concurrent/futures/executor.hpp>
#include <weft/detail/config.hpp>
#include <weft/timeout.hpp>

namespace weft::concurrent::futures {

class ThreadPool;

/// How a ThreadPoolExecutor is made; each member may be left out.
struct ThreadPoolOptions {
    /// How many workers there may be; nothing: min(32, usable CPUs + 4).
    std::optional<int> max_workers = std::nullopt;
    /// Workers are named `prefix_0`, `prefix_1` and so on; empty: `ThreadPoolExecutor-N`.
    std::string thread_name_prefix = {};
    /// Called first in every worker, by several at once; what Python has as `initargs` is bound to
    /// it. If it throws, the pool is broken: `weft::unraisablehook` is told what it threw, and
    /// calls that wait or are submitted later fail with BrokenThreadPool.
    std::function<void()> initializer = {};
    /// How many calls may wait to be started before submit() blocks; nothing: any number. A call
    /// that was begun by a call that waited for it counts until a worker comes to its place.
    std::optional<std::size_t> max_pending = std::nullopt;
    /// How long a worker without work stays; no limit: until the pool ends.
    Timeout idle_timeout = {};
    /// After how long a wait a call counts as one level of priority higher; no limit: never. That
    /// is among calls which wait in the order of priority; those without one that were queued
    /// before the pool's first with one, or that a worker submitted, have no age.
    Timeout ageing = std::chrono::seconds(10);
    /// Called in every worker, before its first call and after its last. What they throw goes to
    /// `weft::unraisablehook`.
    std::function<void()> on_worker_start = {};
    std::function<void()> on_worker_stop = {};
};

/// What ThreadPoolExecutor::stats() returns. The numbers are read one after the other while the
/// pool works.
struct ThreadPoolStats {
    std::size_t workers = 0;      ///< threads that exist
    std::size_t idle = 0;         ///< of these, without a call
    std::size_t blocked = 0;      ///< of these, in a call that waits for another
    std::size_t queued = 0;       ///< calls that wait to be started, cancelled ones included
    std::uint64_t completed = 0;  ///< calls that have ended
};

/// An executor that runs calls in threads of its own, of which there are never more than
/// `max_workers`, not counting those in calls that wait for others.
///
/// Calls from outside the pool start in the order in which they are submitted. What a call of the
/// pool submits itself waits with its worker: that takes the newest first, another that has nothing
/// to do the oldest. In a pool of at most one worker everything starts in the order of submission.
/// Calls of a higher priority go before all those that wait. Workers are started when there is work
/// and none is idle.
///
/// **Calls that wait for calls.** A worker that waits, without limit, for a call of its own pool
/// that has not begun runs it on the spot, on its own stack. While it waits otherwise (for results,
/// `wait()`, `as_completed()`), another worker takes its place, so a pool of one worker may wait
/// for itself. That is for up to 256 at a time; beyond, what is queued waits until one of them goes
/// on. A call whose wait has ended goes on beside the call that its replacement is in: do not take
/// a pool of one worker for a lock. Calls that wait for each other in a circle, without limit,
/// would wait for ever: the last of them gets a DeadlockError, which names them.
///
/// **The end.** The destructor shuts down and waits for all submitted calls; while an exception
/// unwinds, it cancels those that have not begun. At the end of the program what is queued is
/// finished before anything else ends, and submit() throws `std::runtime_error` from then on. A
/// call that ends the program itself (`exit()`) ends as BrokenExecutor for those who wait for it,
/// and so does one that ends its thread (pthread_exit()). After fork the pool is the parent's: in
/// the child submit() throws `std::runtime_error`, as does waiting for one of its futures that is
/// not done, and shutdown() and the destructor do nothing.
///
///     futures::ThreadPoolExecutor pool(4);
///     int n = pool.submit(pow_mod, 323, 1235, 17).result();
///
/// Every member may be called by any threads at once, but for moves and the destructor, and by the
/// calls that it runs. Movable; one owner. What was moved from can only be destroyed and assigned
/// to.
///
/// Unlike Python, calls may be bounded, workers may leave, waits inside of calls do not deadlock,
/// and shutdown() from one of the pool's own calls does not wait.
class WEFT_API ThreadPoolExecutor : public Executor {
public:
    /// Throws `std::invalid_argument` for less than one worker or pending call, and for negative
    /// times; `std::bad_alloc`; `std::runtime_error` once the program has ended. Starts no thread.
    explicit ThreadPoolExecutor(ThreadPoolOptions options = {});
    /// With `max_workers` workers.
    template <std::integral Number>
        requires(!std::same_as<Number, bool>)
    explicit ThreadPoolExecutor(Number max_workers)
        : ThreadPoolExecutor(ThreadPoolOptions{.max_workers = to_count(max_workers)}) {}
    ThreadPoolExecutor(ThreadPoolExecutor&& other) noexcept;
    /// Shuts the pool that was held so far down, as the destructor does.
    ThreadPoolExecutor& operator=(ThreadPoolExecutor&& other) noexcept;
    ~ThreadPoolExecutor() override;

    /// Submits a call if fewer than max_pending are waiting; else returns an empty optional, with
    /// the arguments untouched. Throws as submit() does, and blocks no longer than to start a
    /// thread.
    template <class Target, class... Args>
        requires(!std::same_as<std::decay_t<Target>, SubmitOptions>)
    auto try_submit(Target&& target, Args&&... args)
        -> std::optional<Future<detail::task_result_t<Target, Args...>>> {
        const Room room(*this);
        if (!room) return std::nullopt;
        return hand_over_within(
            room, make_call(std::forward<Target>(target), std::forward<Args>(args)...));
    }
    template <class Target, class... Args>
    auto try_submit(SubmitOptions options, Target&& target, Args&&... args)
        -> std::optional<Future<detail::task_result_t<Target, Args...>>> {
        const Room room(*this);
        if (!room) return std::nullopt;
        return hand_over_within(room, make_call(std::move(options), std::forward<Target>(target),
                                                std::forward<Args>(args)...));
    }

    /// Changes how many workers there may be. Those above the number leave after the call that they
    /// are in; more come when there is work. Throws `std::invalid_argument` below one.
    void resize(int max_workers);

    /// What the pool is doing; takes a lock for the length of the queue only.
    [[nodiscard]] ThreadPoolStats stats() const;

protected:
    void enqueue(Task task) override;
    /// With `wait`, blocks until every call has ended and every worker's thread; not when one of
    /// the pool's own calls asks. Throws weft::KeyboardInterrupt; the pool is shut down then.
    void stop(ShutdownOptions options) override;
    [[nodiscard]] std::size_t map_width() const noexcept override;

private:
    /// A place among the pending calls, for a call that is still to be made.
    class WEFT_API Room {
    public:
        explicit Room(ThreadPoolExecutor& executor);
        ~Room();
        Room(const Room&) = delete;
        Room& operator=(const Room&) = delete;
        explicit operator bool() const noexcept { return is_mine_; }

    private:
        friend class ThreadPoolExecutor;
        ThreadPool& pool_;
        mutable bool is_mine_;
    };

    template <std::integral Number>
    static int to_count(Number number) {
        return std::in_range<int>(number) ? static_cast<int>(number)
               : number < Number{}        ? -1
                                          : kMost;
    }
    static constexpr int kMost = 2147483647;

    template <class T>
    Future<T> hand_over_within(const Room& room, detail::FutureValue<T>* state) {
        auto future = detail::FutureAccess::adopt(*state);
        enqueue_within(room, detail::FutureAccess::task<Task>(*state));
        return future;
    }
    void enqueue_within(const Room& room, Task task);
    [[nodiscard]] ThreadPool& pool() const;
    void end() noexcept;

    std::shared_ptr<ThreadPool> pool_;  ///< null once moved from
    int unwinding_ = std::uncaught_exceptions();
};

}  // namespace weft::concurrent::futures
