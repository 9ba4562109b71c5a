#pragma once

#include <weft/detail/future_state.hpp>

namespace weft::concurrent::futures {

/// A task that a thread is in, and below it, in `outer`, the one that runs it while it waits for it.
struct RunningTask {
    detail::FutureState* task = nullptr;
    RunningTask* outer = nullptr;
};

/// A thread that runs tasks and is about to block, without limit, on a future.
///
/// All such threads are listed in one place, over all pools. A circle is closed by the last thread that
/// lists itself, under the lock of that list, and it is the one that throws.
class BlockedThread {
public:
    /// Lists the thread. Throws DeadlockError, without listing it, when what it waits for waits for
    /// one of the thread's own tasks.
    BlockedThread(RunningTask* tasks, detail::FutureState& future);
    ~BlockedThread();
    BlockedThread(const BlockedThread&) = delete;
    BlockedThread& operator=(const BlockedThread&) = delete;

private:
    [[nodiscard]] static BlockedThread* who_is_in(const detail::FutureState& task) noexcept;
    [[nodiscard]] bool is_in(const detail::FutureState& task) const noexcept;

    RunningTask* tasks_;
    detail::FutureState& future_;
    BlockedThread* previous_ = nullptr;
    BlockedThread* next_ = nullptr;
};

/// In a child of fork(): the other threads are in the parent.
void forget_blocked_threads() noexcept;

}  // namespace weft::concurrent::futures
