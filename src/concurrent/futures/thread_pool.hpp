#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <string>

#include <weft/concurrent/futures/thread.hpp>
#include <weft/detail/atomic.hpp>
#include <weft/detail/future_state.hpp>
#include <weft/detail/low_lock.hpp>
#include <weft/detail/wait_list.hpp>
#include <weft/detail/word_queue.hpp>
#include <weft/threading/lock.hpp>

#include "concurrent/futures/ranked_tasks.hpp"

// The engine of ThreadPoolExecutor. docs/decisions/0015-futures.md has the states of a worker, the
// rules of growth and the order of the end, with the reasons why no task is left behind.
//
//   submit() outside --> injected_, first in first out; with priorities: ranked_ --+
//   submit() in a worker --> that worker's deque --+                               |
//                               newest | oldest    |                               v
//                                      v  +--------+----> thieves       a worker: perform(),
//                                      publish()
//                                   itself
//
// A worker looks in its own deque, then at what came from outside, then in the others' deques, and
// then sleeps on idle_. Every sixty-fourth time it looks outside first, so that what comes from
// there is not kept waiting by tasks that go on making tasks.
//
// Lock order: lock_ of a pool, then whatever starting a thread takes. Nothing is called under
// idle_, changes_, room_ and the locks of the queues.

namespace weft::concurrent::futures {

class PoolWorker;

class ThreadPool : public std::enable_shared_from_this<ThreadPool> {
public:
    explicit ThreadPool(ThreadPoolOptions options);
    ~ThreadPool();
    ThreadPool(const ThreadPool&) = delete;
    ThreadPool& operator=(const ThreadPool&) = delete;

    /// Takes the task over. Throws to refuse it, and it is cancelled then. The caller has a handle.
    void submit(Task task);
    /// The same with a reservation, which is used up when this returns.
    void submit_reserved(Task task);
    /// A place among the pending calls; true without a bound. Throws to refuse any.
    [[nodiscard]] bool try_reserve();
    void release_reservation() noexcept;

    void resize(int max_workers);
    void shut_down(ShutdownOptions options, bool is_interruptible);
    [[nodiscard]] ThreadPoolStats stats() const;
    [[nodiscard]] std::size_t limit() const noexcept {
        return static_cast<std::size_t>(limit_.load(std::memory_order_relaxed));
    }

    // For the end of the program.

    void finish_everything() noexcept;
    [[nodiscard]] bool is_of_this_process() const noexcept {
        return generation_ == detail::fork_generation.load(std::memory_order_relaxed);
    }
    ThreadPool* next_pool = nullptr;  ///< of all that live; guarded by the lock of that list
    ThreadPool* previous_pool = nullptr;
    detail::Atomic<bool> is_finished{false};  ///< at the end of the program, or about to be

private:
    friend class PoolWorker;

    static constexpr std::uint64_t kOneActive = 1;
    static constexpr std::uint64_t kOneBlocked = std::uint64_t{1} << 32;
    static constexpr std::uint64_t kMaxBlocked = 256;  ///< how many workers are replaced at a time

    static constexpr std::uint64_t active_in(std::uint64_t counts) noexcept {
        return counts % kOneBlocked;
    }
    static constexpr std::uint64_t blocked_in(std::uint64_t counts) noexcept {
        return counts / kOneBlocked;
    }

    // Submitting.
    void require_open() const;
    [[nodiscard]] std::exception_ptr refusal() const;
    void queue(detail::FutureState& task);
    void reserve();
    [[nodiscard]] PoolWorker* this_worker() const noexcept;

    // Finding work. The tasks come with the queue's share.
    [[nodiscard]] detail::FutureState* take_shared(bool certainly) noexcept;
    [[nodiscard]] detail::FutureState* take_urgent() noexcept;
    [[nodiscard]] detail::FutureState* steal_for(const PoolWorker& me) noexcept;
    /// For a thread that has announced that it looks, or has changed counts_ before.
    [[nodiscard]] bool has_queued_work() noexcept;
    void note_taken() noexcept;

    // Workers.
    [[nodiscard]] bool may_grow(std::uint64_t counts) const noexcept;
    /// Wakes an idle worker, or starts one if there may be more: for work that was queued. Returns
    /// an error only if there is no worker but such as wait: then what is queued must be refused.
    std::exception_ptr employ() noexcept;
    /// The same for whoever cannot throw: what is queued is refused then.
    void employ_if_needed() noexcept;
    [[nodiscard]] std::exception_ptr start_worker() noexcept;
    [[nodiscard]] PoolWorker& claim_worker();
    /// True, once for each worker above the limit, and it is not counted any more.
    [[nodiscard]] bool take_surplus() noexcept;
    void block() noexcept;
    void unblock() noexcept {
        counts_.fetch_sub(kOneBlocked - kOneActive, std::memory_order_seq_cst);
    }
    void break_by(const std::exception_ptr& error) noexcept;

    // The end.
    void close() noexcept;
    void refuse_queued(const std::exception_ptr& error) noexcept;
    void wait_for_workers(bool is_interruptible);
    void join_threads(bool is_interruptible);

    const ThreadPoolOptions options_;
    const std::string prefix_;
    const std::uint32_t generation_;  ///< the process that made it

    detail::WordQueue injected_;
    RankedTasks ranked_;
    alignas(64) detail::WaitList idle_;        ///< workers without work, the last first
    detail::Atomic<std::uint64_t> counts_{0};  ///< active workers, and blocked ones
    detail::Atomic<std::uint64_t> limit_;      ///< how many may be active
    detail::Atomic<bool> is_closed_{false};
    detail::Atomic<bool> is_cancelling_{false};
    detail::Atomic<bool> is_broken_{false};
    detail::Atomic<PoolWorker*> workers_{nullptr};        ///< all that ever were; only grows
    alignas(64) detail::Atomic<std::size_t> pending_{0};  ///< kept only with a bound
    detail::WaitList room_;                               ///< who waits for fewer pending calls
    detail::WaitList changes_;                            ///< who waits for workers to go
    detail::Atomic<std::uint64_t> names_{0};
    mutable threading::Lock lock_;  ///< guards the handles of the workers' threads
};

}  // namespace weft::concurrent::futures
