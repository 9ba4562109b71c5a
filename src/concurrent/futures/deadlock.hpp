#pragma once

#include <weft/detail/future_state.hpp>

namespace weft::concurrent::futures {

/// A task that a thread is in; below it, in `outer`, the one that waits for it on the same thread.
struct RunningTask {
    detail::FutureState* task = nullptr;
    RunningTask* outer = nullptr;
};

/// A thread that runs tasks and is about to block, without limit, on one future.
///
/// All such threads are listed in one place, over all pools. A circle is closed by the last thread
/// that lists itself, under the lock of that list, and it is the one that throws.
class BlockedThread {
public:
    /// Lists the thread. Throws DeadlockError, without listing it, when what it waits for waits for
    /// one of the thread's own tasks. The frames and the future outlive the object.
    BlockedThread(const RunningTask* tasks, detail::FutureState& future);
    ~BlockedThread();
    BlockedThread(const BlockedThread&) = delete;
    BlockedThread& operator=(const BlockedThread&) = delete;

private:
    [[nodiscard]] static const BlockedThread* who_is_in(const detail::FutureState& task) noexcept;
    [[nodiscard]] bool is_in(const detail::FutureState& task) const noexcept;
    void list() noexcept;

    const RunningTask* tasks_;
    detail::FutureState& future_;
    BlockedThread* previous_ = nullptr;
    BlockedThread* next_ = nullptr;
};

}  // namespace weft::concurrent::futures
