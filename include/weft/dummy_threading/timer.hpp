#pragma once

#include <functional>
#include <memory>
#include <stop_token>
#include <typeinfo>
#include <utility>

#include <weft/detail/config.hpp>
#include <weft/detail/thread_body.hpp>
#include <weft/dummy_threading/thread.hpp>
#include <weft/timeout.hpp>

namespace weft::detail {

/// Waits, and then runs what it was given, unless it was cancelled.
class DummyTimerBody final : public ThreadBody {
public:
    DummyTimerBody(Timeout interval, std::unique_ptr<ThreadBody> function) noexcept
        : interval_(interval), function_(std::move(function)) {}

    WEFT_API void run(const std::stop_token& stop) override;
    /// The class that its handles have.
    [[nodiscard]] WEFT_API const std::type_info* type() const noexcept override;
    bool cancel() noexcept {
        if (fate_ == Fate::waiting) fate_ = Fate::cancelled;
        return fate_ == Fate::cancelled;
    }

private:
    enum class Fate { waiting, running, cancelled };

    const Timeout interval_;
    std::unique_ptr<ThreadBody> function_;
    Fate fate_ = Fate::waiting;
};

}  // namespace weft::detail

namespace weft::dummy_threading {

/// A thread whose start() waits for the interval and calls the function before it returns. Without
/// an interval its run() throws `std::runtime_error`, since nobody could cancel it. request_stop()
/// before start() cancels it.
class Timer : public Thread {
public:
    template <class Function, class... Args>
        requires weft::detail::thread_target<Function, Args...>
    explicit Timer(Timeout interval, Function&& function, Args&&... args)
        : Timer(ThreadOptions{}, interval, std::forward<Function>(function),
                std::forward<Args>(args)...) {}
    template <class Function, class... Args>
        requires weft::detail::thread_target<Function, Args...>
    Timer(ThreadOptions options, Timeout interval, Function&& function, Args&&... args)
        : Timer(std::move(options),
                std::make_shared<weft::detail::DummyTimerBody>(
                    interval, weft::detail::bind_body(std::forward<Function>(function),
                                                      std::forward<Args>(args)...))) {}

    /// Before start(): the function is never called, and start() does not wait. Afterwards it does
    /// nothing. Returns whether the timer is cancelled, now or by an earlier call.
    bool cancel() const noexcept { return body_->cancel(); }

private:
    Timer(ThreadOptions options, const std::shared_ptr<weft::detail::DummyTimerBody>& body)
        : Thread(KeepsItsBody{}, std::move(options), body), body_(body.get()) {}

    weft::detail::DummyTimerBody* body_;  ///< owned by the Thread
};

}  // namespace weft::dummy_threading

/// Equal handles have equal hashes.
template <>
struct std::hash<weft::dummy_threading::Timer> : std::hash<weft::dummy_threading::Thread> {};
