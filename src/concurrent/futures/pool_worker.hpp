#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include <weft/detail/atomic.hpp>
#include <weft/detail/future_state.hpp>
#include <weft/detail/wait_list.hpp>
#include <weft/threading/thread.hpp>

#include "concurrent/futures/deadlock.hpp"
#include "concurrent/futures/thread_pool.hpp"
#include "concurrent/futures/work_deque.hpp"

namespace weft::concurrent::futures {

/// The place of one worker in its pool, used again by another when its thread has ended.
///
/// States:
///
///   gone -- claimed --> busy ----- finds nothing ------> idle (sleeps on the pool's list)
///    ^                  | ^ ^                              |
///    |   waits for a    | | +---- is woken, finds work ----+
///    |   future         v |                                |
///    |               blocked                               |
///    +-- too many workers; no work in time; the pool ends -+
///
/// Between calls a worker enters the list of idle ones before it lets the outcome of its last call
/// be seen: so whoever has seen that, and submits again, finds this worker and starts no other.
class PoolWorker final : public detail::TaskRunner {
public:
    enum class State : std::uint8_t { gone, busy, idle, blocked };

    explicit PoolWorker(ThreadPool& pool) noexcept : pool_(pool) {}
    PoolWorker(const PoolWorker&) = delete;
    PoolWorker& operator=(const PoolWorker&) = delete;

    /// What its thread does.
    void main();

    void before_wait(detail::FutureState* future, const detail::WaitLimits& limits) override;
    void after_wait() noexcept override;
    void before_listeners() noexcept override;
    [[nodiscard]] bool is_cancelling() const noexcept override;
    void abandon_tasks() noexcept override;

    [[nodiscard]] const ThreadPool& pool() const noexcept { return pool_; }
    [[nodiscard]] WorkDeque<detail::FutureState>& deque() noexcept { return deque_; }
    [[nodiscard]] State state() const noexcept { return state_.load(std::memory_order_relaxed); }
    [[nodiscard]] std::uint64_t completed() const noexcept {
        return completed_.load(std::memory_order_relaxed);
    }
    /// Makes it a new thread's; false when it is somebody's. A new object is claimed.
    [[nodiscard]] bool claim() noexcept {
        bool seen = false;
        // Acquire: the thread that had it before has done with it.
        if (!is_claimed_.compare_exchange_strong(seen, true, std::memory_order_acq_rel)) {
            return false;
        }
        set_state(State::busy);
        return true;
    }
    void release() noexcept {
        set_state(State::gone);
        is_claimed_.store(false, std::memory_order_release);
    }

    std::optional<threading::Thread> thread = std::nullopt;  ///< guarded by the pool's lock
    PoolWorker* next = nullptr;  ///< in the pool's list; fixed once it is there

private:
    class Frame;

    [[nodiscard]] bool prepare();
    [[nodiscard]] detail::FutureState* next_task() noexcept;
    [[nodiscard]] detail::FutureState* find(bool certainly) noexcept;
    [[nodiscard]] bool sleep() noexcept;
    [[nodiscard]] bool may_go_for_good() noexcept;
    /// Runs a task that came with a queue's share, and drops that.
    void run(detail::FutureState& task);
    /// Runs a task of which somebody else has a share, unless it has begun.
    void perform(detail::FutureState& task);
    void announce() noexcept;
    /// Takes the announcement back; true when somebody had counted on it.
    bool retire() noexcept;
    void leave() noexcept;
    [[nodiscard]] bool is_deep() const noexcept;
    void set_state(State state) noexcept { state_.store(state, std::memory_order_relaxed); }

    ThreadPool& pool_;
    WorkDeque<detail::FutureState> deque_;
    // The thread's own.
    RunningTask* tasks_ = nullptr;
    std::optional<detail::Waiter> waiter_;         ///< on the pool's list of idle workers
    std::optional<BlockedThread> blocked_thread_;  ///< while it waits for a future without limit
    std::uintptr_t stack_ = 0;                     ///< near the beginning of its stack
    std::size_t deepest_ = 0;                      ///< how much of it calls inside of calls may use
    unsigned turns_ = 0;
    bool is_fresh_ = false;  ///< has not run anything yet
    bool is_blocked_ = false;
    bool is_uncounted_ = false;  ///< counts_ has been told that it goes
    // Read by others.
    alignas(64) detail::Atomic<State> state_{State::busy};
    detail::Atomic<std::uint64_t> completed_{0};
    detail::Atomic<bool> is_claimed_{true};
};

}  // namespace weft::concurrent::futures
