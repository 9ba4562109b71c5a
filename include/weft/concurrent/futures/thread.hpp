#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <weft/concurrent/futures/executor.hpp>
#include <weft/detail/config.hpp>
#include <weft/timeout.hpp>

namespace weft::concurrent::futures {

class ThreadPool;

/// How a ThreadPoolExecutor is made; each member may be left out.
struct ThreadPoolOptions {
    /// How many workers there may be; nothing: min(32, process_cpu_count + 4).
    std::optional<int> max_workers = std::nullopt;
    /// Workers are named `prefix_0`, `prefix_1` and so on; empty: `ThreadPoolExecutor-N`.
    std::string thread_name_prefix = {};
    /// Called first in every worker. If it throws, the pool is broken.
    std::function<void()> initializer = {};
    /// How many calls may wait to be started before submit() blocks; nothing: any number.
    std::optional<std::size_t> max_pending = std::nullopt;
    /// How long a worker without work stays; none: until the pool ends.
    Timeout idle_timeout = {};
    /// Called in every worker, before its first call and after its last. What they throw goes to
    /// `weft::unraisablehook`.
    std::function<void()> on_worker_start = {};
    std::function<void()> on_worker_stop = {};
};

/// What ThreadPoolExecutor::stats() returns. The numbers are read one after the other while the pool
/// works.
struct ThreadPoolStats {
    std::size_t workers = 0;       ///< threads that exist
    std::size_t idle = 0;          ///< of these, without a call
    std::size_t blocked = 0;       ///< of these, in a call that waits for another
    std::size_t queued = 0;        ///< calls that wait to be started, those included that were cancelled
    std::uint64_t completed = 0;   ///< calls that have ended
};

/// An executor that runs calls in threads of its own, of which there are never more than
/// `max_workers` that are not waiting for other calls of an executor.
///
/// Calls from outside the pool start in the order in which each thread submits them. What a call of
/// the pool submits itself starts before that, the newest first, or last, if another worker has
/// nothing to do; in a pool of one worker everything starts in the order of submission. Workers are
/// started when there is work and none is idle.
///
/// **Calls that wait for calls.** A worker that waits for a call of its own pool that has not begun
/// runs it on the spot. While it waits for others and work is queued, another worker takes its
/// place. So a pool of one worker may wait for itself. Calls that wait for each other in a circle,
/// without limit, would wait for ever: the last of them throws DeadlockError.
///
/// The destructor waits for all submitted calls. At the end of the program what is queued is finished
/// before anything else ends. After fork the pool is the parent's: submit() throws
/// `std::runtime_error` in the child.
///
///     futures::ThreadPoolExecutor pool(4);
///     int n = pool.submit(pow_mod, 323, 1235, 17).result();
///
/// Every member may be called by any threads at once, but for the destructor, and by the calls that
/// it runs. Unlike Python, calls may be bounded, workers may leave, and waits inside of calls do not
/// deadlock.
class WEFT_API ThreadPoolExecutor : public Executor {
public:
    /// Throws `std::invalid_argument` for less than one worker or pending call, and
    /// `std::bad_alloc`. Starts no thread.
    explicit ThreadPoolExecutor(ThreadPoolOptions options = {});
    /// With `max_workers` workers.
    explicit ThreadPoolExecutor(int max_workers)
        : ThreadPoolExecutor(ThreadPoolOptions{.max_workers = max_workers}) {}
    ~ThreadPoolExecutor() override;

    /// Submits a call if no more than max_pending are waiting; else an empty optional. Throws as
    /// submit() does.
    template <class Target, class... Args>
    auto try_submit(Target&& target, Args&&... args)
        -> std::optional<Future<detail::task_result_t<Target, Args...>>> {
        if (!has_room()) return std::nullopt;
        return submit(std::forward<Target>(target), std::forward<Args>(args)...);
    }

    /// Changes how many workers there may be. Those above the number leave after the call that they
    /// are in; more come when there is work. Throws `std::invalid_argument` below one.
    void resize(int max_workers);

    [[nodiscard]] ThreadPoolStats stats() const noexcept;

protected:
    void enqueue(Task task) override;
    void stop(ShutdownOptions options) override;

private:
    [[nodiscard]] bool has_room() const noexcept;

    std::shared_ptr<ThreadPool> pool_;
};

}  // namespace weft::concurrent::futures
