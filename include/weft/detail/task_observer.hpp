#pragma once

#include <weft/detail/atomic.hpp>
#include <weft/detail/config.hpp>
#include <weft/detail/future_state.hpp>

namespace weft::detail {

/// What is told of every task of every pool, by the thread that does it. One at a time in a
/// process; never destroyed while it may be called. Without one a task costs three loads.
class TaskObserver {
public:
    /// Before the task can be seen by another thread. `pool` is the same for all tasks of one.
    virtual void submitted(const FutureState& task, const void* pool) noexcept = 0;
    /// Before the call is made, or found to have been cancelled.
    virtual void begun(const FutureState& task, const void* pool) noexcept = 0;
    /// After the call, before its outcome can be seen; false if it was cancelled.
    virtual void ended(const FutureState& task, const void* pool, bool was_made) noexcept = 0;
    /// Before and after the calling worker waits, in a call, for something that others bring about.
    virtual void blocked(const void* pool) noexcept = 0;
    virtual void unblocked(const void* pool) noexcept = 0;

protected:
    TaskObserver() = default;
    ~TaskObserver() = default;
};

WEFT_API extern constinit Atomic<TaskObserver*> task_observer;

}  // namespace weft::detail
