#pragma once

#include <coroutine>
#include <exception>
#include <iterator>
#include <memory>
#include <utility>

namespace weft::test {

/// A generator as users write them: its iterator runs the coroutine, an exception leaves the
/// increment and ends it.
template <class T>
class Generator {
public:
    struct promise_type {
        T* item = nullptr;
        std::exception_ptr failure;

        Generator get_return_object() {
            return Generator(std::coroutine_handle<promise_type>::from_promise(*this));
        }
        std::suspend_always initial_suspend() noexcept { return {}; }
        std::suspend_always final_suspend() noexcept { return {}; }
        std::suspend_always yield_value(T& value) noexcept {
            item = std::addressof(value);
            return {};
        }
        std::suspend_always yield_value(T&& value) noexcept {
            item = std::addressof(value);
            return {};
        }
        void return_void() noexcept {}
        void unhandled_exception() { failure = std::current_exception(); }
    };

    class Iterator {
    public:
        using value_type = T;
        using difference_type = std::ptrdiff_t;

        explicit Iterator(std::coroutine_handle<promise_type> coroutine) : coroutine_(coroutine) {}
        T& operator*() const { return *coroutine_.promise().item; }
        Iterator& operator++() {
            resume(coroutine_);
            return *this;
        }
        void operator++(int) { resume(coroutine_); }
        friend bool operator==(const Iterator& left, std::default_sentinel_t) {
            return left.coroutine_.done();
        }

    private:
        std::coroutine_handle<promise_type> coroutine_;
    };

    Generator(Generator&& other) noexcept : coroutine_(std::exchange(other.coroutine_, {})) {}
    Generator& operator=(Generator&& other) noexcept {
        std::swap(coroutine_, other.coroutine_);
        return *this;
    }
    ~Generator() {
        if (coroutine_) coroutine_.destroy();
    }

    Iterator begin() {
        resume(coroutine_);
        return Iterator(coroutine_);
    }
    std::default_sentinel_t end() const noexcept { return {}; }

private:
    explicit Generator(std::coroutine_handle<promise_type> coroutine) : coroutine_(coroutine) {}

    static void resume(std::coroutine_handle<promise_type> coroutine) {
        coroutine.resume();
        if (coroutine.promise().failure) {
            std::rethrow_exception(std::exchange(coroutine.promise().failure, nullptr));
        }
    }

    std::coroutine_handle<promise_type> coroutine_;
};

}  // namespace weft::test
