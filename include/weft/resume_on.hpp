#pragma once

#include <concepts>
#include <coroutine>
#include <type_traits>

namespace weft {

/// Where a coroutine goes on after a wait: a reference to whatever can take its handle.
///
/// Made from an object of the caller's, which must outlive the wait: one that can be called with a
/// `std::coroutine_handle<>`, one with a submit() that takes a callable (an executor: the handle is
/// one), or one with a put() (a queue from which somebody takes handles and resumes them). The
/// object is called on the thread that ends the wait, takes the handle as something to be resumed
/// once, and must not throw: std::terminate() is called if it does.
///
/// Of none, which is the default, the coroutine goes on where its wait ends: inside the release(),
/// set(), put(), notify(), shutdown() or request_stop() of another thread.
class ResumeOn {
public:
    ResumeOn() noexcept = default;
    template <class Scheduler>
        requires(!std::same_as<std::remove_const_t<Scheduler>, ResumeOn> &&
                 (requires(Scheduler& scheduler, std::coroutine_handle<> coroutine) {
                     scheduler(coroutine);
                 } || requires(Scheduler& scheduler, std::coroutine_handle<> coroutine) {
                     scheduler.submit(coroutine);
                 } || requires(Scheduler& scheduler, std::coroutine_handle<> coroutine) {
                     scheduler.put(coroutine);
                 }))
    ResumeOn(Scheduler& scheduler) noexcept
        : scheduler_(const_cast<std::remove_const_t<Scheduler>*>(&scheduler)),
          call_(&call<Scheduler>) {}

    /// Has the coroutine resumed there.
    void operator()(std::coroutine_handle<> coroutine) const noexcept {
        if (call_ == nullptr) {
            coroutine.resume();
        } else {
            call_(scheduler_, coroutine);
        }
    }

private:
    template <class Scheduler>
    static void call(void* address, std::coroutine_handle<> coroutine) {
        auto& scheduler = *static_cast<Scheduler*>(address);
        if constexpr (requires { scheduler(coroutine); }) {
            static_cast<void>(scheduler(coroutine));
        } else if constexpr (requires { scheduler.submit(coroutine); }) {
            static_cast<void>(scheduler.submit(coroutine));
        } else {
            static_cast<void>(scheduler.put(coroutine));
        }
    }

    void* scheduler_ = nullptr;
    void (*call_)(void*, std::coroutine_handle<>) = nullptr;
};

}  // namespace weft
