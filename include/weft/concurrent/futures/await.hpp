#pragma once

#include <coroutine>
#include <utility>

#include <weft/concurrent/futures/future.hpp>
#include <weft/detail/future_state.hpp>

namespace weft::detail {

class ResumeTask;

/// Goes on with a coroutine as a task of the executor. If that cancels the task later, the
/// coroutine goes on in the thread that does so, since its co_await must end. False when the
/// executor refuses it, or there is no memory: then the caller is to go on with it. Before another
/// thread can go on with it, `task` is set, and the caller has a handle to forget().
[[nodiscard]] WEFT_API bool resume_on(concurrent::futures::Executor& executor,
                                      std::coroutine_handle<> coroutine,
                                      ResumeTask*& task) noexcept;

/// Drops the handle; the task, if it has not begun, does not touch the coroutine any more.
WEFT_API void forget(ResumeTask& task) noexcept;

}  // namespace weft::detail

namespace weft::concurrent::futures {

/// What co_await of a Future waits with. A coroutine may be destroyed while it waits, but not while
/// another thread is about to go on with it.
template <class T, bool kMovesOut>
class [[nodiscard]] FutureAwaiter : private detail::FutureListener {
public:
    FutureAwaiter(Future<T> future, Executor* executor) noexcept
        : future_(std::move(future)), executor_(executor) {
        fire = [](detail::FutureListener& self, detail::FutureState* state) noexcept {
            // The awaiter keeps a handle, so the future cannot die before it is done.
            if (state != nullptr) static_cast<FutureAwaiter&>(self).go_on();
        };
    }
    FutureAwaiter(const FutureAwaiter&) = delete;
    FutureAwaiter& operator=(const FutureAwaiter&) = delete;
    ~FutureAwaiter() {
        // A coroutine that is destroyed while it waits: for the future, or for the executor.
        if (coroutine_ != nullptr) detail::FutureAccess::state(future_).remove(*this);
        if (task_ != nullptr) detail::forget(*task_);
    }

    [[nodiscard]] bool await_ready() const noexcept {
        return executor_ == nullptr && future_.done();
    }
    bool await_suspend(std::coroutine_handle<> coroutine) {
        // What throws here goes to the coroutine, which goes on.
        detail::FutureAccess::state(future_).require_reachable();
        coroutine_ = coroutine;
        // Once it is listed, another thread may go on with the coroutine, and this awaiter be gone.
        if (detail::FutureAccess::state(future_).add(*this)) return true;
        return resume_by_executor();
    }
    decltype(auto) await_resume() {
        coroutine_ = nullptr;
        if constexpr (kMovesOut) {
            return std::move(future_).result();
        } else {
            return std::as_const(future_).result();
        }
    }

private:
    void go_on() noexcept {
        const std::coroutine_handle<> coroutine = coroutine_;
        if (!resume_by_executor()) coroutine.resume();
    }
    /// False when there is no executor, or no memory. This may be gone afterwards.
    bool resume_by_executor() noexcept {
        return executor_ != nullptr && detail::resume_on(*executor_, coroutine_, task_);
    }

    Future<T> future_;
    Executor* executor_;
    std::coroutine_handle<> coroutine_;
    detail::ResumeTask* task_ = nullptr;  ///< once it waits for the executor
};

template <class T>
FutureAwaiter<T, false> Future<T>::operator co_await() const& {
    return {*this, nullptr};
}
template <class T>
FutureAwaiter<T, true> Future<T>::operator co_await() && {
    return {std::move(*this), nullptr};
}
template <class T>
FutureAwaiter<T, false> Future<T>::via(Executor& executor) const& {
    return {*this, &executor};
}
template <class T>
FutureAwaiter<T, true> Future<T>::via(Executor& executor) && {
    return {std::move(*this), &executor};
}

}  // namespace weft::concurrent::futures
