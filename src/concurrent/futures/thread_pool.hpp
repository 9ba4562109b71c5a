#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <weft/concurrent/futures/thread.hpp>
#include <weft/detail/atomic.hpp>
#include <weft/detail/future_state.hpp>
#include <weft/detail/low_lock.hpp>
#include <weft/detail/wait_list.hpp>
#include <weft/detail/word_queue.hpp>
#include <weft/threading/lock.hpp>

#include "concurrent/futures/deadlock.hpp"
#include "concurrent/futures/work_deque.hpp"

// The engine of ThreadPoolExecutor.
//
//   submit() outside --> injected_ (one first-in first-out queue) --+
//   submit() in a worker --> that worker's deque ----+              |
//                              newest | oldest       |              v
//                                     v  +-----------+-> thieves   a worker --> perform(), publish()
//                                  itself
//
// A worker looks in its own deque, then in injected_, then in the others' deques, and then sleeps on
// idle_. Every sixty-fourth time it looks in injected_ first, so that what comes from outside is not
// kept waiting by tasks that go on making tasks.
//
// States of a worker:
//
//   idle ---- found a task ----> busy ---- waits for a future ----> blocked
//     ^                           |  ^                                 |
//     +-- its task has ended -----+  +-------- the future is done -----+
//     |
//     +-- no work in time, more workers than allowed, or the pool ends --> gone (its thread ends)
//
// Growth: a thread is started when more tasks are queued than workers idle, and fewer workers than
// the limit are not blocked. The rule is looked at by whoever queues a task, by a worker that has
// just become busy or blocked, and by one that has gone: after their change of state, as the others
// look at the states after their push. One of the two sees the other.
//
// Order of the end: closed_ is set, so that no task is queued; workers run until they find nothing, and
// leave. submit() looks at closed_ again after its push, and takes a task back that nobody will run.

namespace weft::concurrent::futures {

class ThreadPool : public std::enable_shared_from_this<ThreadPool> {
public:
    explicit ThreadPool(ThreadPoolOptions options);
    ~ThreadPool();
    ThreadPool(const ThreadPool&) = delete;
    ThreadPool& operator=(const ThreadPool&) = delete;

    /// Takes over the task's share of the state. Throws, with the task ended, to refuse it.
    void submit(detail::FutureState& task);
    [[nodiscard]] bool has_room() const noexcept;
    void resize(int max_workers);
    void shut_down(ShutdownOptions options);
    [[nodiscard]] ThreadPoolStats stats() const noexcept;

    /// At the end of the program.
    void finish_everything() noexcept;

    ThreadPool* next_pool = nullptr;  ///< of all that live; guarded by the lock of that list
    ThreadPool* previous_pool = nullptr;

private:
    class Worker;
    enum class WorkerState : std::uint8_t { idle, busy, blocked, gone };

    static constexpr std::size_t kMaxBlocked = 256;  ///< how many workers may be replaced at a time

    void require_open() const;
    void queue(detail::FutureState& task);
    [[nodiscard]] detail::FutureState* find(Worker& me, bool certainly) noexcept;
    [[nodiscard]] detail::FutureState* steal_for(const Worker& me) noexcept;
    [[nodiscard]] detail::FutureState* take_injected(bool certainly) noexcept;
    [[nodiscard]] bool is_surplus() const noexcept;
    [[nodiscard]] bool may_grow() const noexcept;
    [[nodiscard]] bool has_queued_work() const noexcept;
    void grow_if_needed() noexcept;
    [[nodiscard]] Worker* enlist_worker();
    bool start_worker();
    void cancel_queued(const std::exception_ptr& error) noexcept;
    void note_started() noexcept;
    void wait_for_workers(std::size_t but_for);

    const ThreadPoolOptions options_;
    const std::string prefix_;
    const std::uint32_t generation_;  ///< the process that made it

    detail::WordQueue injected_;
    detail::WaitList idle_;
    detail::WaitList changes_;  ///< who waits for workers to go, or for room
    detail::Atomic<Worker*> workers_{nullptr};  ///< all that ever were; only grows
    detail::Atomic<std::size_t> alive_{0};      ///< workers that are not gone
    detail::Atomic<std::size_t> blocked_{0};
    detail::Atomic<std::size_t> limit_;
    detail::Atomic<std::size_t> pending_{0};    ///< kept only if max_pending is given
    detail::Atomic<bool> closed_{false};
    detail::Atomic<bool> broken_{false};
    threading::Lock lock_;  ///< guards the start of workers, and names
    std::uint64_t names_ = 0;
    std::exception_ptr broken_by_;  ///< written before broken_
};

}  // namespace weft::concurrent::futures
