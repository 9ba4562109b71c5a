#pragma once

#include <functional>
#include <memory>
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
    void cancel() noexcept { is_cancelled_ = true; }

private:
    const Timeout interval_;
    std::unique_ptr<ThreadBody> function_;
    bool is_cancelled_ = false;
};

}  // namespace weft::detail

namespace weft::dummy_threading {

/// A thread whose start() waits for the interval and calls the function before it returns.
class Timer : public Thread {
public:
    template <class Function, class... Args>
        requires weft::detail::thread_target<Function, Args...>
    explicit Timer(Timeout interval, Function&& function, Args&&... args)
        : Timer(std::make_shared<weft::detail::DummyTimerBody>(
              interval, weft::detail::bind_body(std::forward<Function>(function),
                                                std::forward<Args>(args)...))) {}

    /// Before start(): the function is never called, and start() does not wait. Afterwards it does
    /// nothing.
    void cancel() const noexcept { body_->cancel(); }

private:
    explicit Timer(const std::shared_ptr<weft::detail::DummyTimerBody>& body)
        : Thread(KeepsItsBody{}, ThreadOptions{}, body), body_(body.get()) {}

    weft::detail::DummyTimerBody* body_;  ///< owned by the Thread
};

}  // namespace weft::dummy_threading
