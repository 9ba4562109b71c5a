#pragma once

#include <concepts>
#include <coroutine>
#include <cstdint>
#include <exception>
#include <type_traits>
#include <utility>

#include <weft/contextvars/binding.hpp>
#include <weft/detail/config.hpp>

namespace weft::contextvars {

namespace detail {

/// A context on its way from where a coroutine was suspended to where it goes on.
class Luggage {
public:
    /// Packs the current context. It keeps its number, so that tokens stay good.
    WEFT_API Luggage() noexcept;
    Luggage(Luggage&& other) noexcept
        : bindings_(std::exchange(other.bindings_, Bindings{})), number_(other.number_) {}
    Luggage& operator=(Luggage&&) = delete;
    WEFT_API ~Luggage();

private:
    friend class Step;
    Bindings bindings_;
    std::uint64_t number_;
};

/// Makes a context current for as long as a coroutine runs between two suspensions.
class Step {
public:
    WEFT_API explicit Step(Luggage&& luggage) noexcept;
    WEFT_API ~Step();
    Step(const Step&) = delete;
    Step& operator=(const Step&) = delete;

private:
    Frame frame_;
};

/// What is resumed in the place of a coroutine: resumes that in its context, and is gone.
class Detour {
public:
    struct promise_type {
        Detour get_return_object() noexcept {
            return Detour(std::coroutine_handle<promise_type>::from_promise(*this));
        }
        std::suspend_always initial_suspend() noexcept { return {}; }
        std::suspend_never final_suspend() noexcept { return {}; }
        void return_void() noexcept {}
        void unhandled_exception() noexcept { std::terminate(); }
    };

    /// `slot` is emptied when this is resumed, and from then on nobody else's.
    static Detour to(std::coroutine_handle<> coroutine, Luggage luggage,
                     std::coroutine_handle<promise_type>* slot) {
        *slot = nullptr;
        const Step step(std::move(luggage));
        coroutine.resume();
        co_return;
    }

    std::coroutine_handle<promise_type> handle;

private:
    explicit Detour(std::coroutine_handle<promise_type> its_handle) noexcept : handle(its_handle) {}
};

template <class T>
decltype(auto) awaiter_of(T&& awaitable) {
    if constexpr (requires { std::forward<T>(awaitable).operator co_await(); }) {
        return std::forward<T>(awaitable).operator co_await();
    } else if constexpr (requires { operator co_await(std::forward<T>(awaitable)); }) {
        return operator co_await(std::forward<T>(awaitable));
    } else {
        return static_cast<std::remove_reference_t<T>&>(awaitable);
    }
}

/// Holds what it awaits: a reference for an lvalue, an object for what was given away.
template <class Awaitable>
class [[nodiscard]] Keeping {
public:
    explicit Keeping(Awaitable&& awaitable)
        : awaitable_(std::forward<Awaitable>(awaitable)),
          awaiter_(awaiter_of(static_cast<Awaitable&&>(awaitable_))) {}
    Keeping(const Keeping&) = delete;
    Keeping& operator=(const Keeping&) = delete;
    ~Keeping() {
        // The coroutine ends without having been resumed.
        if (detour_ != nullptr) detour_.destroy();
    }

    bool await_ready() { return awaiter_.await_ready(); }
    auto await_suspend(std::coroutine_handle<> coroutine) {
        const auto detour = Detour::to(coroutine, Luggage(), &detour_).handle;
        detour_ = detour;
        using Result = decltype(awaiter_.await_suspend(detour));
        if constexpr (std::same_as<Result, bool>) {
            // When it was suspended, this may be gone by the time that the call returns.
            if (awaiter_.await_suspend(detour)) return true;
            std::exchange(detour_, nullptr).destroy();
            return false;
        } else {
            return awaiter_.await_suspend(detour);
        }
    }
    decltype(auto) await_resume() { return awaiter_.await_resume(); }

private:
    Awaitable awaitable_;
    decltype(awaiter_of(std::declval<Awaitable>())) awaiter_;
    std::coroutine_handle<Detour::promise_type> detour_ = nullptr;
};

}  // namespace detail

/// Lets a coroutine keep its context over a suspension: what `co_await keep(awaitable)` is followed
/// by runs in the context that was current before it, whichever thread resumes the coroutine.
///
///     Task handle(std::string name) {
///         request.set(name);
///         co_await contextvars::keep(timer.wait(1s));   // goes on in any thread
///         log(request.get());                           // still this request
///     }
///
/// It is for any type of coroutine, and for awaitables that take any coroutine's handle. Use it
/// where something outside of the coroutines resumes them: a timer, a queue, a pool. A coroutine
/// that awaits another one needs none for that: both are resumed in one go, and in one context,
/// where each sees what the other sets. After the first suspension the coroutine's context is its
/// own: whoever started it does not see what it sets, as with Python's tasks.
///
/// The coroutine's resume() must not throw; if it does, std::terminate() is called. A coroutine may
/// be destroyed while it is suspended so. Throws `std::bad_alloc` where it is awaited.
template <class Awaitable>
[[nodiscard]] detail::Keeping<Awaitable> keep(Awaitable&& awaitable) {
    return detail::Keeping<Awaitable>(std::forward<Awaitable>(awaitable));
}

}  // namespace weft::contextvars
