#pragma once

#include <cstddef>
#include <exception>

#include <weft/concurrent/futures/executor.hpp>
#include <weft/detail/config.hpp>
#include <weft/queue/simple_queue.hpp>
#include <weft/threading/lock.hpp>

namespace weft::concurrent::futures {

/// An executor without threads: calls wait until somebody runs them by hand, first come first run.
/// For tests, where it decides what runs when, and for threads that have a loop of their own, such
/// as that of a user interface. Python has none.
///
///     futures::ManualExecutor by_hand;
///     auto f = by_hand.submit(task);
///     by_hand.run_one();
///     f.result();
///
/// Every member may be called by any threads at once, but for the destructor, and by the calls that
/// it runs. Calls run on the thread that calls run_one() or run_all().
class WEFT_API ManualExecutor : public Executor {
public:
    ManualExecutor() = default;
    /// Shuts down, and runs what waits; cancels it instead while an exception unwinds.
    ~ManualExecutor() override;

    /// Runs the call that has waited longest. Returns false when none waits.
    bool run_one();

    /// Runs calls until none waits, those included that come meanwhile; returns how many.
    std::size_t run_all();

    /// How many calls wait, those included that have been cancelled since; a snapshot.
    [[nodiscard]] std::size_t pending() const noexcept { return tasks_.qsize(); }

protected:
    void enqueue(Task task) override;
    /// With `wait`, runs what still waits, on the calling thread; it does not wait for calls that
    /// other threads are running.
    void stop(ShutdownOptions options) override;

private:
    queue::SimpleQueue<Task> tasks_;
    threading::Lock lock_;  ///< so that nothing is queued after shutdown() has looked
    bool is_shut_down_ WEFT_GUARDED_BY(lock_) = false;
    int unwinding_ = std::uncaught_exceptions();
};

}  // namespace weft::concurrent::futures
