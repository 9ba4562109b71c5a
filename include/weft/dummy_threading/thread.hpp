#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <type_traits>
#include <utility>

#include <weft/detail/config.hpp>
#include <weft/detail/thread_body.hpp>
#include <weft/threading/thread.hpp>
#include <weft/timeout.hpp>

namespace weft::detail {
struct DummyThread;
struct DummyThreadAccess;
}  // namespace weft::detail

namespace weft::dummy_threading {

using threading::Runnable;
using threading::ThreadOptions;

template <class T>
class ThreadOf;

/// As threading::Thread, but start() runs the target to its end, on the calling thread, and the
/// thread is stopped when it returns. A handle: copies mean the same thread.
class Thread {
public:
    /// As threading::Thread's. Throws `std::runtime_error` when options ask for a stack size.
    WEFT_API Thread();
    WEFT_API explicit Thread(ThreadOptions options);
    template <class Target, class... Args>
        requires(!std::derived_from<std::decay_t<Target>, Thread> &&
                 weft::detail::thread_target<Target, Args...>)
    explicit Thread(Target&& target, Args&&... args)
        : Thread(ThreadOptions{}, weft::detail::bind_body(std::forward<Target>(target),
                                                          std::forward<Args>(args)...)) {}
    template <class Target, class... Args>
        requires weft::detail::thread_target<Target, Args...>
    Thread(ThreadOptions options, Target&& target, Args&&... args)
        : Thread(std::move(options), weft::detail::bind_body(std::forward<Target>(target),
                                                             std::forward<Args>(args)...)) {}
    template <std::derived_from<Runnable> T, class... Args>
        requires std::constructible_from<T, Args...>
    [[nodiscard]] static ThreadOf<T> of(Args&&... args);
    template <std::derived_from<Runnable> T, class... Args>
        requires std::constructible_from<T, Args...>
    [[nodiscard]] static ThreadOf<T> of(ThreadOptions options, Args&&... args);

    Thread(const Thread&) = default;
    Thread& operator=(const Thread&) = default;
    ~Thread() = default;

    /// Runs the target. An exception that leaves it goes to `threading::excepthook`, without a
    /// thread. Throws `std::runtime_error` when it was started before, and weft::KeyboardInterrupt
    /// when the target has called `_dummy_thread::interrupt_main()`.
    WEFT_API void start();
    /// Calls the target, once. Throws what it throws, and `std::runtime_error` when it is gone.
    WEFT_API void run();

    /// Returns at once when the thread has stopped. Throws `std::runtime_error` for a thread that
    /// was not started and for the current one. One that has started the current one cannot end
    /// before it: waits until `timeout` has passed, and throws `std::runtime_error` without one.
    WEFT_API void join(Timeout timeout = {}) const;
    WEFT_API void join(const std::stop_token& stop, Timeout timeout = {}) const;

    [[nodiscard]] WEFT_API std::string name() const;
    WEFT_API void set_name(std::string name) const;
    /// `_dummy_thread::get_ident()`; nothing before it has started.
    [[nodiscard]] WEFT_API std::optional<std::uint64_t> ident() const;
    /// The kernel's number of the thread that it runs on; nothing before it has started.
    [[nodiscard]] WEFT_API std::optional<std::uint64_t> native_id() const;
    /// True while its target runs, and for the main thread.
    [[nodiscard]] WEFT_API bool is_alive() const noexcept;
    [[nodiscard]] WEFT_API bool daemon() const noexcept;
    /// Throws `std::runtime_error` once it has been started.
    WEFT_API void set_daemon(bool daemon) const;

    WEFT_API bool request_stop() const noexcept;
    [[nodiscard]] WEFT_API std::stop_token get_stop_token() const noexcept;
    [[nodiscard]] WEFT_API std::stop_source get_stop_source() const noexcept;

    /// Python's text form; for a Runnable it begins with its class.
    [[nodiscard]] WEFT_API std::string repr() const;

    [[deprecated("use name()")]] [[nodiscard]] std::string getName() const { return name(); }
    [[deprecated("use set_name()")]] void setName(std::string name) const {
        set_name(std::move(name));
    }
    [[deprecated("use daemon()")]] [[nodiscard]] bool isDaemon() const noexcept { return daemon(); }
    [[deprecated("use set_daemon()")]] void setDaemon(bool daemonic) const { set_daemon(daemonic); }

    friend bool operator==(const Thread& a, const Thread& b) noexcept {
        return a.state_ == b.state_;
    }

private:
    friend struct weft::detail::DummyThreadAccess;
    friend struct std::hash<Thread>;
    template <class T>
    friend class ThreadOf;

    WEFT_API Thread(ThreadOptions options, std::shared_ptr<weft::detail::ThreadBody> body);
    explicit Thread(std::shared_ptr<weft::detail::DummyThread> state) : state_(std::move(state)) {}

protected:
    /// For a thread that runs an object, which lives as long as a handle does.
    struct KeepsItsBody {};
    WEFT_API Thread(KeepsItsBody, ThreadOptions options,
                    std::shared_ptr<weft::detail::ThreadBody> body);

private:
    std::shared_ptr<weft::detail::DummyThread> state_;  ///< never null
};

/// A Thread that runs a T, which `*` and `->` reach.
template <class T>
class ThreadOf : public Thread {
public:
    [[nodiscard]] T& operator*() const noexcept { return *runnable_; }
    [[nodiscard]] T* operator->() const noexcept { return runnable_; }

private:
    friend class Thread;

    ThreadOf(ThreadOptions options, const std::shared_ptr<weft::detail::RunnableBody<T>>& body)
        : Thread(KeepsItsBody{}, std::move(options), body), runnable_(&body->runnable) {}

    T* runnable_;
};

template <std::derived_from<Runnable> T, class... Args>
    requires std::constructible_from<T, Args...>
ThreadOf<T> Thread::of(Args&&... args) {
    return of<T>(ThreadOptions{}, std::forward<Args>(args)...);
}

template <std::derived_from<Runnable> T, class... Args>
    requires std::constructible_from<T, Args...>
ThreadOf<T> Thread::of(ThreadOptions options, Args&&... args) {
    return ThreadOf<T>(std::move(options), std::make_shared<weft::detail::RunnableBody<T>>(
                                               std::in_place, std::forward<Args>(args)...));
}

/// Starts a thread, which therefore has ended.
class Joining {
public:
    /// Throws as Thread::start() does.
    explicit Joining(Thread thread) : thread_(std::move(thread)) { thread_.start(); }
    [[nodiscard]] const Thread& thread() const noexcept { return thread_; }
    [[nodiscard]] const Thread* operator->() const noexcept { return &thread_; }

private:
    Thread thread_;
};

}  // namespace weft::dummy_threading

/// Equal handles have equal hashes.
template <>
struct std::hash<weft::dummy_threading::Thread> {
    std::size_t operator()(const weft::dummy_threading::Thread& thread) const noexcept {
        return std::hash<std::shared_ptr<weft::detail::DummyThread>>()(thread.state_);
    }
};

template <class T>
struct std::hash<weft::dummy_threading::ThreadOf<T>> : std::hash<weft::dummy_threading::Thread> {};
