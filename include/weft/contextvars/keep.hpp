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

template <class T>
concept awaitable = requires(T&& value) { awaiter_of(std::forward<T>(value)).await_ready(); };

// What Asio asks a completion handler for: the executor, the allocator and the cancellation slot
// that are associated with it. A kept handler answers as the handler in it does.
template <class Kept, class Handler>
struct KeptExecutor {};
template <class Kept, class Handler>
    requires requires(const Handler& handler) {
        typename Handler::executor_type;
        handler.get_executor();
    }
struct KeptExecutor<Kept, Handler> {
    using executor_type = typename Handler::executor_type;
    auto get_executor() const noexcept {
        return static_cast<const Kept&>(*this).handler().get_executor();
    }
};
template <class Kept, class Handler>
struct KeptAllocator {};
template <class Kept, class Handler>
    requires requires(const Handler& handler) {
        typename Handler::allocator_type;
        handler.get_allocator();
    }
struct KeptAllocator<Kept, Handler> {
    using allocator_type = typename Handler::allocator_type;
    auto get_allocator() const noexcept {
        return static_cast<const Kept&>(*this).handler().get_allocator();
    }
};
template <class Kept, class Handler>
struct KeptSlot {};
template <class Kept, class Handler>
    requires requires(const Handler& handler) {
        typename Handler::cancellation_slot_type;
        handler.get_cancellation_slot();
    }
struct KeptSlot<Kept, Handler> {
    using cancellation_slot_type = typename Handler::cancellation_slot_type;
    auto get_cancellation_slot() const noexcept {
        return static_cast<const Kept&>(*this).handler().get_cancellation_slot();
    }
};

/// A completion handler that is called in the context that was current when it was made.
template <class Handler>
class KeptHandler : public KeptExecutor<KeptHandler<Handler>, Handler>,
                    public KeptAllocator<KeptHandler<Handler>, Handler>,
                    public KeptSlot<KeptHandler<Handler>, Handler> {
public:
    explicit KeptHandler(Handler handler) : handler_(std::move(handler)) {}
    KeptHandler(KeptHandler&&) = default;
    KeptHandler& operator=(KeptHandler&&) = delete;

    template <class... Results>
    void operator()(Results&&... results) {
        const Step step(std::move(luggage_));
        std::move(handler_)(std::forward<Results>(results)...);
    }
    [[nodiscard]] const Handler& handler() const noexcept { return handler_; }

private:
    Handler handler_;
    Luggage luggage_;
};

/// An asynchronous operation that has not been started, as Asio understands it: an object that is
/// called with what is to be done in the end.
template <class Operation>
class [[nodiscard]] KeepingOperation {
    /// What Asio asks an operation with which signature it completes: an empty object, to which the
    /// operation answers with another one, and starts nothing.
    template <class Token>
    static consteval bool is_question() {
        using Answer = std::invoke_result_t<Operation, Token>;
        return std::is_empty_v<std::decay_t<Token>> && !std::is_void_v<Answer> &&
               std::is_empty_v<Answer>;
    }

public:
    explicit KeepingOperation(Operation&& operation) : operation_(std::move(operation)) {}
    explicit KeepingOperation(const Operation& operation) : operation_(operation) {}

    /// Starts the operation, which then calls the handler in the context that is current now.
    template <class Handler>
        requires std::invocable<Operation, Handler>
    auto operator()(Handler&& handler) {
        if constexpr (is_question<Handler>()) {
            return std::move(operation_)(std::forward<Handler>(handler));
        } else {
            return std::move(operation_)(
                KeptHandler<std::decay_t<Handler>>(std::forward<Handler>(handler)));
        }
    }

private:
    Operation operation_;
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
template <detail::awaitable Awaitable>
[[nodiscard]] detail::Keeping<Awaitable> keep(Awaitable&& awaitable) {
    return detail::Keeping<Awaitable>(std::forward<Awaitable>(awaitable));
}

/// The same for what Asio's coroutines await, which is an operation that was given `deferred` as
/// its completion token, and for a callback in their place:
///
///     co_await contextvars::keep(timer.async_wait(asio::deferred));
///     contextvars::keep(timer.async_wait(asio::deferred))([](auto error) { ... });
///
/// The context that counts is the one in which the operation is started. The handler's executor,
/// allocator and cancellation slot stay what they are. An `asio::awaitable` that a coroutine awaits
/// needs no keep(). Throws what moving the operation throws.
template <class Operation>
    requires(!detail::awaitable<Operation>)
[[nodiscard]] detail::KeepingOperation<std::decay_t<Operation>> keep(Operation&& operation) {
    return detail::KeepingOperation<std::decay_t<Operation>>(std::forward<Operation>(operation));
}

}  // namespace weft::contextvars
