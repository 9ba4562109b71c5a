#pragma once

#include <concepts>
#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <new>
#include <stop_token>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <typeinfo>
#include <utility>

#include <weft/detail/future_state.hpp>
#include <weft/detail/node_memory.hpp>
#include <weft/detail/task_context.hpp>

namespace weft::detail {

/// How a result is kept: a reference as a pointer.
template <class T>
using StoredResult = std::conditional_t<std::is_reference_v<T>, std::remove_reference_t<T>*, T>;

/// A FutureState with room for a result. The result exists while the phase is finished and nothing
/// failed.
template <class T>
class FutureValue : public FutureState {
public:
    using Stored = StoredResult<T>;

    /// For the task, and for whoever has begun to store. Throws what the constructor throws.
    template <class... Args>
    void construct(Args&&... args) {
        ::new (static_cast<void*>(&stored_)) Stored(std::forward<Args>(args)...);
    }
    /// The same with what the call returns, built in place.
    template <class Call>
    void construct_from(Call&& call) {
        if constexpr (std::is_reference_v<T>) {
            construct(std::addressof(std::forward<Call>(call)()));
        } else {
            ::new (static_cast<void*>(&stored_)) Stored(std::forward<Call>(call)());
        }
    }
    [[nodiscard]] Stored& stored() noexcept { return stored_; }

    [[nodiscard]] const std::type_info& result_type() const noexcept override { return typeid(T); }

protected:
    explicit FutureValue(Owner owner) noexcept : FutureState(owner) {}
    ~FutureValue() override {
        if constexpr (!std::is_trivially_destructible_v<Stored>) {
            if (!has_result()) return;
            this->before_destroying_outcome();
            stored_.~Stored();
        }
    }

private:
    union {
        Stored stored_;
    };
};

template <>
class FutureValue<void> : public FutureState {
public:
    void construct() noexcept {}
    template <class Call>
    void construct_from(Call&& call) {
        std::forward<Call>(call)();
    }
    [[nodiscard]] const std::type_info& result_type() const noexcept override {
        return typeid(void);
    }

protected:
    explicit FutureValue(Owner owner) noexcept : FutureState(owner) {}
};

/// The future that a user makes and ends.
template <class T>
class PlainFuture final : public FutureValue<T> {
public:
    PlainFuture() noexcept : FutureValue<T>(FutureState::Owner::user) {}

private:
    void destroy() noexcept override { delete this; }
};

template <class Target, class... Args>
inline constexpr bool is_plain_call = std::invocable<std::decay_t<Target>, std::decay_t<Args>...>;

template <class Target, class... Args>
struct CallResult
    : std::invoke_result<std::decay_t<Target>, std::stop_token, std::decay_t<Args>...> {};
template <class Target, class... Args>
    requires is_plain_call<Target, Args...>
struct CallResult<Target, Args...>
    : std::invoke_result<std::decay_t<Target>, std::decay_t<Args>...> {};

template <class T>
struct FutureResult : std::remove_cv<std::remove_reference_t<T>> {};
template <class T>
struct FutureResult<T&> : std::type_identity<T&> {};

/// What the future of such a call holds: what the call returns, lvalue references included.
template <class Target, class... Args>
using task_result_t = typename FutureResult<typename CallResult<Target, Args...>::type>::type;

/// Copies of a target and of its arguments, called once, as rvalues.
template <class Target, class... Args>
class TaskCall {
public:
    /// Whether it is called with a stop token first: only if it cannot do without.
    static constexpr bool kTakesStop = !is_plain_call<Target, Args...>;

    template <class GivenTarget, class... GivenArgs>
    explicit TaskCall(GivenTarget&& target, GivenArgs&&... args)
        : target_(std::forward<GivenTarget>(target)), args_(std::forward<GivenArgs>(args)...) {}

    decltype(auto) operator()() {
        return std::apply(
            [this](Args&... args) -> decltype(auto) {
                return std::invoke(std::move(target_), std::move(args)...);
            },
            args_);
    }
    decltype(auto) operator()(const std::stop_source& stop) {
        return std::apply(
            [&](Args&... args) -> decltype(auto) {
                return std::invoke(std::move(target_), stop.get_token(), std::move(args)...);
            },
            args_);
    }

private:
    [[no_unique_address]] Target target_;
    [[no_unique_address]] std::tuple<Args...> args_;
};

/// For calls that were submitted without options.
struct NoTaskOptions {
    static constexpr int priority = 0;
    static constexpr std::string_view name{};
};

/// A call and its future, in one piece of memory.
template <class T, class Call, class Options = NoTaskOptions>
class FutureTask final : public FutureValue<T> {
public:
    template <class... Args>
    explicit FutureTask(Options options, Args&&... args)
        : FutureValue<T>(FutureState::Owner::executor),
          call_(std::forward<Args>(args)...),
          options_(std::move(options)) {}
    ~FutureTask() override {
        if (has_call_) call_.~Call();
    }

    [[nodiscard]] bool perform() override {
        if (!this->start_task()) return false;
        const TaskContext::Scope scope(context_);
        try {
            this->construct_from([this]() -> decltype(auto) {
                if constexpr (Call::kTakesStop) {
                    return call_(stop_);
                } else {
                    return call_();
                }
            });
        } catch (...) {
            std::exception_ptr error = std::current_exception();
            // There is none for the unwinding of a thread that ends: that must go on.
            if (error == nullptr) throw;
            this->keep_error(std::move(error));
        }
        // Before anybody learns of the end: what the call captured is gone when result() returns.
        drop_call();
        return true;
    }
    bool request_stop() noexcept override {
        if constexpr (Call::kTakesStop) {
            return stop_.request_stop();
        } else {
            return false;
        }
    }

    [[nodiscard]] int priority() const noexcept override { return options_.priority; }
    [[nodiscard]] std::string_view name() const noexcept override { return options_.name; }

    // Small tasks come from the memory that is made for passing objects from thread to thread.
    static void* operator new(std::size_t size) {
        return is_node() ? NodeMemory::operator new(size) : ::operator new(size);
    }
    static void* operator new(std::size_t size, std::align_val_t alignment) {
        return ::operator new(size, alignment);
    }
    static void operator delete(void* memory) noexcept {
        is_node() ? NodeMemory::operator delete(memory) : ::operator delete(memory);
    }
    static void operator delete(void* memory, std::align_val_t alignment) noexcept {
        ::operator delete(memory, alignment);
    }

private:
    struct Nothing {};

    static constexpr bool is_node() noexcept {
        return NodeMemory::fits(sizeof(FutureTask), alignof(FutureTask));
    }
    void drop_call() noexcept override {
        has_call_ = false;
        call_.~Call();
        context_.drop();
    }
    void destroy() noexcept override { delete this; }

    TaskContext context_;
    union {
        Call call_;
    };
    bool has_call_ = true;
    [[no_unique_address]] Options options_;
    [[no_unique_address]] std::conditional_t<Call::kTakesStop, std::stop_source, Nothing> stop_;
};

}  // namespace weft::detail
