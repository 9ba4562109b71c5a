#pragma once

#include <compare>
#include <concepts>
#include <coroutine>
#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <type_traits>
#include <utility>

#include <weft/concurrent/futures/errors.hpp>
#include <weft/detail/future_value.hpp>
#include <weft/timeout.hpp>

namespace weft::detail {
struct FutureAccess;
class MapJob;
}  // namespace weft::detail

namespace weft::concurrent::futures {

class Executor;

template <class T, bool kMovesOut>
class FutureAwaiter;

/// The outcome, to come or there, of one call: its result, its exception, or its cancellation.
///
/// A handle: copies mean the same outcome, compare equal, and the last one releases it. `T` may be
/// any type that can be moved, also move-only, an lvalue reference, or void.
///
/// States: pending; running; finished, with a result or an exception; cancelled, of which the
/// executor learns when it comes to the call. Done means finished or cancelled, and is for ever.
///
/// Every member may be called by any threads at once, but for the assignment and destructor of one
/// handle, and take() while others still use a reference that result() gave them. Whoever sees a
/// future done sees what the call wrote. The destructor waits for nothing and cancels nothing. If
/// the call failed and nobody has asked for the outcome when the last handle goes,
/// `weft::unraisablehook` is told, once.
///
///     futures::Future<int> f = pool.submit(pow_mod, 323, 1235, 17);
///     int n = f.result();
///
/// After fork, a future that another thread was to finish stays as it is.
///
/// Unlike Python, dropped exceptions are reported; `set_result` and its like are refused for
/// futures that an executor has made.
template <class T = void>
class Future {
    using State = detail::FutureValue<T>;
    static constexpr bool kIsVoid = std::is_void_v<T>;
    static constexpr bool kIsReference = std::is_reference_v<T>;
    using Object = std::conditional_t<kIsReference, T, int&>;  // void cannot stand in a declaration
    static constexpr bool kIsCopyable = kIsVoid || kIsReference || std::is_copy_constructible_v<T>;

public:
    using value_type = T;
    /// What result() of an lvalue gives: `const T&`; T itself for references and void.
    using reference = std::conditional_t<kIsVoid || kIsReference, T,
                                         std::add_lvalue_reference_t<std::add_const_t<T>>>;

    /// A pending future that set_result() or set_exception() is to end: for those who write
    /// executors and tests. Throws `std::bad_alloc`.
    Future() : state_(new detail::PlainFuture<T>) {}
    Future(const Future& other) noexcept : state_(other.state_) {
        if (state_ != nullptr) state_->add_handle();
    }
    /// The other handle may afterwards only be assigned to and destroyed.
    Future(Future&& other) noexcept : state_(std::exchange(other.state_, nullptr)) {}
    Future& operator=(Future other) noexcept {
        std::swap(state_, other.state_);
        return *this;
    }
    ~Future() {
        if (state_ != nullptr) state_->drop_handle();
    }

    /// Cancels the call if it has not begun. Returns false when it is running or finished; true
    /// when the future is now, or was already, cancelled. Waiters return and callbacks have run
    /// before this does; what the call captured is destroyed.
    bool cancel() const noexcept { return state_->cancel(); }

    /// Asks a running call to stop, which it learns by the stop token that it takes. Returns false
    /// when it takes none, or was asked before. Does not end the future: the call does.
    bool request_stop() const noexcept { return state_->request_stop(); }

    [[nodiscard]] bool cancelled() const noexcept {
        const auto phase = state_->phase();
        return phase == detail::FuturePhase::cancelled || phase == detail::FuturePhase::notified;
    }
    [[nodiscard]] bool running() const noexcept {
        const auto phase = state_->phase();
        return phase == detail::FuturePhase::running || phase == detail::FuturePhase::storing;
    }
    [[nodiscard]] bool done() const noexcept { return state_->is_done(); }

    /// Blocks until the future is done or `timeout` has passed; zero and negative limits do not
    /// block. Returns the result, which lives as long as a handle; may be called many times.
    ///
    /// Throws the call's exception; CancelledError when it was cancelled; TimeoutError when it is
    /// not done in time; InvalidStateError when the result was taken; weft::KeyboardInterrupt as
    /// Lock::acquire() does.
    reference result(Timeout timeout = {}) const& { return get(limits(timeout)); }
    /// The same; throws weft::Cancelled when `stop` is triggered first.
    reference result(std::stop_token stop, Timeout timeout = {}) const& {
        return get(limits(timeout, &stop));
    }

    /// `std::move(f).result()` gives a value: moved out, as by take(), when the type is move-only
    /// or this is the last handle, else copied.
    T result(Timeout timeout = {}) && { return get_value(limits(timeout)); }
    T result(std::stop_token stop, Timeout timeout = {}) && {
        return get_value(limits(timeout, &stop));
    }

    /// As result(), and moves the result out, whoever else has a handle. Afterwards result() and
    /// take() throw InvalidStateError; of several who take, one gets it. If the move throws, the
    /// result is still there.
    T take(Timeout timeout = {}) const { return take_within(limits(timeout)); }
    T take(std::stop_token stop, Timeout timeout = {}) const {
        return take_within(limits(timeout, &stop));
    }

    /// Blocks as result() does; returns the call's exception, null if it succeeded. Throws
    /// CancelledError, TimeoutError and weft::KeyboardInterrupt as result() does.
    std::exception_ptr exception(Timeout timeout = {}) const {
        return state_->exception(limits(timeout));
    }
    std::exception_ptr exception(std::stop_token stop, Timeout timeout = {}) const {
        return state_->exception(limits(timeout, &stop));
    }

    /// Calls `callback(future)` when this is done or cancelled: by the thread that ends it, after
    /// the callbacks that were added before; at once, by this thread, if it is done. What a
    /// callback throws goes to `weft::unraisablehook`, and the next one is called. A callback that
    /// is never called, because the future died undone, is destroyed with it. A
    /// callback must not end its thread (`pthread_exit()`): that ends the process, and says so.
    /// Throws `std::bad_alloc` and what copying the callback throws; then it is not added.
    template <std::invocable<Future> Callback>
    void add_done_callback(Callback&& callback) const {
        auto* const node =
            new CallbackNode<std::decay_t<Callback>>(std::forward<Callback>(callback));
        if (state_->add(*node)) return;
        // The callback may destroy this handle.
        const Future kept(*this);
        node->fire(*node, kept.state_);
    }

    /// For executors: a pending future becomes running, and the call is to be made: true. A
    /// cancelled one is not to be run: false, and `wait()` and `as_completed()` now count it as
    /// done. Throws `std::runtime_error` in every other state.
    bool set_running_or_notify_cancel() const { return state_->set_running_or_notify_cancel(); }

    /// Ends the future with a result that is made of the argument; without one for void. Throws
    /// InvalidStateError when it is done, when another thread is just ending it, and when it
    /// belongs to an executor, and what making the result throws; nothing has changed then.
    template <class U = T>
        requires(!kIsVoid && !kIsReference && std::constructible_from<T, U>)
    void set_result(U&& result) const {
        store("set_result", [&] { state_->construct(std::forward<U>(result)); });
    }
    void set_result(Object object) const
        requires kIsReference
    {
        store("set_result", [&] { state_->construct(std::addressof(object)); });
    }
    void set_result() const
        requires kIsVoid
    {
        store("set_result", [] {});
    }

    /// Ends the future with an exception: a pointer that is not null, or an object to be copied.
    /// Throws InvalidStateError as set_result() does, and `std::invalid_argument` for a null.
    void set_exception(std::exception_ptr error) const {
        detail::require_exception(error);
        state_->begin_storing("set_exception");
        state_->fail(std::move(error));
    }
    template <class E>
        requires(!std::convertible_to<E, std::exception_ptr>)
    void set_exception(E error) const {
        set_exception(std::make_exception_ptr(std::move(error)));
    }

    /// Python's text form, such as `<Future at 0x7f00 state=finished returned int>`.
    [[nodiscard]] std::string repr() const { return state_->repr(); }

    /// `co_await f`: the coroutine goes on in the thread that ends the future, at once if it is
    /// done, and gets what result() would give.
    FutureAwaiter<T, false> operator co_await() const&;
    FutureAwaiter<T, true> operator co_await() &&;
    /// `co_await f.via(executor)`: the coroutine goes on as a task of the executor, which must
    /// outlive that. If the executor refuses it, it goes on in the thread that ended the future.
    [[nodiscard]] FutureAwaiter<T, false> via(Executor& executor) const&;
    [[nodiscard]] FutureAwaiter<T, true> via(Executor& executor) &&;

    friend bool operator==(const Future& a, const Future& b) noexcept {
        return a.state_ == b.state_;
    }
    /// An order without meaning, for maps.
    friend std::strong_ordering operator<=>(const Future& a, const Future& b) noexcept {
        return std::compare_three_way()(a.state_, b.state_);
    }

private:
    friend struct detail::FutureAccess;
    friend struct std::hash<Future>;

    template <class Callback>
    struct CallbackNode final : detail::FutureListener {
        template <class Given>
        explicit CallbackNode(Given&& given) : callback(std::forward<Given>(given)) {
            fire = [](detail::FutureListener& self, detail::FutureState* future) noexcept {
                const std::unique_ptr<CallbackNode> node(static_cast<CallbackNode*>(&self));
                if (future == nullptr) return;
                try {
                    std::invoke(std::move(node->callback), Future(*static_cast<State*>(future)));
                } catch (...) {
                    detail::report_callback_error(*future);
                }
            };
        }
        Callback callback;
    };

    explicit Future(State& state) noexcept : state_(&state) { state_->add_handle(); }
    struct Adopt {};
    Future(State& state, Adopt) noexcept : state_(&state) {}

    static detail::WaitLimits limits(Timeout timeout, const std::stop_token* stop = nullptr) {
        return {.deadline = detail::Deadline::after(timeout), .stop = stop};
    }

    reference get(const detail::WaitLimits& limits) const {
        state_->require_result(limits);
        return stored();
    }
    reference stored() const noexcept {
        if constexpr (kIsReference) {
            return static_cast<reference>(*state_->stored());
        } else if constexpr (!kIsVoid) {
            return state_->stored();
        }
    }
    T get_value(const detail::WaitLimits& limits) const {
        if constexpr (kIsVoid || kIsReference) {
            return get(limits);
        } else {
            if constexpr (kIsCopyable) {
                state_->require_result(limits);
                if (!state_->is_last_handle()) return std::as_const(state_->stored());
            }
            return take_within(limits);
        }
    }
    T take_within(const detail::WaitLimits& limits) const {
        state_->require_result(limits);
        state_->take_result();
        if constexpr (kIsReference) {
            return static_cast<T>(*state_->stored());
        } else if constexpr (std::is_nothrow_move_constructible_v<T>) {
            return std::move(state_->stored());
        } else if constexpr (!kIsVoid) {
            try {
                return std::move(state_->stored());
            } catch (...) {
                state_->put_result_back();
                throw;
            }
        }
    }
    template <class Construct>
    void store(const char* what, Construct construct) const {
        const detail::FuturePhase before = state_->begin_storing(what);
        try {
            construct();
        } catch (...) {
            state_->abandon_storing(before);
            throw;
        }
        state_->finish();
    }

    State* state_;  ///< null once moved from
};

}  // namespace weft::concurrent::futures

namespace weft {
namespace futures = concurrent::futures;
}  // namespace weft

/// Equal handles have equal hashes.
template <class T>
struct std::hash<weft::concurrent::futures::Future<T>> {
    std::size_t operator()(const weft::concurrent::futures::Future<T>& future) const noexcept {
        return std::hash<const void*>()(future.state_);
    }
};

namespace weft::detail {

/// What the rest of the package needs of a Future.
struct WEFT_API FutureAccess {
    template <class T>
    static FutureValue<T>& state(const concurrent::futures::Future<T>& future) noexcept {
        return *future.state_;
    }
    /// A handle that takes over a share of the owners' count.
    template <class T>
    static concurrent::futures::Future<T> adopt(FutureValue<T>& state) noexcept {
        using Future = concurrent::futures::Future<T>;
        return Future(state, typename Future::Adopt());
    }
    /// The task that a new state is, with its share.
    template <class Task>
    static Task task(FutureState& state) noexcept {
        return Task(state);
    }
    /// Hands an executor a task that is not a call; throws what the executor throws. The caller has
    /// a handle.
    static void enqueue(concurrent::futures::Executor& executor, FutureState& task);
    static void submit_driver(concurrent::futures::Executor& executor,
                              const std::shared_ptr<MapJob>& job);
    template <class AsCompleted, class... Args>
    static AsCompleted as_completed(Args&&... args) {
        return AsCompleted(std::forward<Args>(args)...);
    }
};

}  // namespace weft::detail
