#pragma once

#include <coroutine>
#include <exception>
#include <optional>
#include <utility>

#include <weft/queue/simple_queue.hpp>

namespace weft::test {

/// A coroutine that begins at once and is destroyed when it has ended.
struct Detached {
    struct promise_type {
        Detached get_return_object() { return {}; }
        std::suspend_never initial_suspend() noexcept { return {}; }
        std::suspend_never final_suspend() noexcept { return {}; }
        void return_void() {}
        void unhandled_exception() { std::terminate(); }
    };
};

/// A coroutine that begins at once and belongs to this object, which may destroy it at any time.
class Owned {
public:
    struct promise_type {
        Owned get_return_object() {
            return Owned(std::coroutine_handle<promise_type>::from_promise(*this));
        }
        std::suspend_never initial_suspend() noexcept { return {}; }
        std::suspend_always final_suspend() noexcept { return {}; }
        void return_void() {}
        void unhandled_exception() { std::terminate(); }
    };

    Owned(Owned&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
    Owned& operator=(Owned&&) = delete;
    ~Owned() { destroy(); }
    void destroy() {
        if (handle_) std::exchange(handle_, nullptr).destroy();
    }
    [[nodiscard]] bool is_over() const { return handle_.done(); }

private:
    explicit Owned(std::coroutine_handle<promise_type> handle) : handle_(handle) {}
    std::coroutine_handle<promise_type> handle_;
};

/// Keeps the coroutines that it is given until it is told to resume them.
class Shelf {
public:
    void operator()(std::coroutine_handle<> coroutine) { handles_.put(coroutine); }
    /// Resumes all that are there, and says how many.
    int resume_all() {
        int count = 0;
        for (; !handles_.empty(); ++count) handles_.get().resume();
        return count;
    }
    [[nodiscard]] bool is_empty() const { return handles_.empty(); }
    void forget_all() {
        while (!handles_.empty()) static_cast<void>(handles_.get());
    }

private:
    queue::SimpleQueue<std::coroutine_handle<>> handles_;
};

}  // namespace weft::test
