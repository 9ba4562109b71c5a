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
#include <weft/threading/thread_context.hpp>
#include <weft/timeout.hpp>

namespace weft::detail {
class ThreadState;
struct ThreadAccess;
}  // namespace weft::detail

namespace weft::threading {

template <class T>
class ThreadOf;

/// How a Thread is made; each member may be left out.
struct ThreadOptions {
    /// Empty: `Thread-1`, `Thread-2` and so on, counted in the whole process.
    std::string name = {};
    /// Whether the program may end without waiting for the thread. Nothing: as the thread that
    /// makes it.
    std::optional<bool> daemon = std::nullopt;
    /// The contextvars::Context in which the thread calls its target: a context is copied now,
    /// `std::ref` to one means that one. The thread enters it as Context::run() does: when it is
    /// entered already, `std::runtime_error` goes to `threading::excepthook` in the place of the
    /// call. None: an empty context, but for the inheritable variables' values, or with
    /// thread_inherit_context() a copy of the context in which start() is called.
    ThreadContext context = {};
    /// The size of its stack in bytes; 0: what `threading::stack_size()` is when it starts. A size
    /// below 32 KiB, and one that the system refuses, makes the constructor throw
    /// `std::invalid_argument`.
    std::size_t stack_size = 0;
};

/// The base of objects that a thread runs: what subclasses of Thread are in Python.
///
///     struct Counter : threading::Runnable { int n = 0; void run() override { ++n; } };
///     auto counter = threading::Thread::of<Counter>();
///     counter.start();  counter.join();  counter->n;
class Runnable {
public:
    Runnable() = default;
    Runnable(const Runnable&) = default;
    Runnable& operator=(const Runnable&) = default;
    virtual ~Runnable() = default;

    /// What the thread does. `threading::current_thread()` gives the thread itself, and with it
    /// the stop token.
    virtual void run() = 0;
};

/// A handle on an activity that runs in a thread of its own.
///
/// A copy is another handle on the same thread. States: initial; started, from start() until the
/// target has returned and the thread's `thread_local` objects are destroyed; stopped. Handles
/// compare equal when they mean the same thread. Dropping them changes nothing for the thread: it
/// runs on, and the program, when it ends, first waits for every thread that is not a daemon. A
/// daemon is left where it is, without unwinding: from then on it blocks for ever as soon as it
/// waits for anything of Weft, and does not come back from a wait that it is in.
/// `threading::Joining` ties a thread to a scope.
///
/// Every member may be called by any threads at once, but for the assignment and the destructor of
/// one handle. What was written before start() is seen by the thread, and what the thread wrote is
/// seen by whoever join() returned to, or is_alive() returned false to.
///
///     threading::Thread t(download, url, 3);
///     t.start();
///     t.join();
///
/// An exception that leaves the target ends that thread only and goes to `threading::excepthook`.
/// After fork, the thread that forked is the main thread, and all others are stopped.
///
/// Unlike Python, target and arguments are copied into the thread (use `std::ref` for a reference),
/// there is no `group`, and a `join()` returns only after the thread's `thread_local` objects are
/// destroyed.
class Thread {
public:
    /// A thread that does nothing. Throws `std::bad_alloc`.
    WEFT_API Thread();
    WEFT_API explicit Thread(ThreadOptions options);

    /// A thread that calls the target with the arguments, all of which are copied or moved in now
    /// and moved into the call: functions, objects with an operator(), and pointers to members.
    /// A target that cannot be called with the arguments alone, but with a `std::stop_token` before
    /// them, gets the thread's. Throws what the copies throw, and `std::bad_alloc`.
    template <class Target, class... Args>
        requires(!std::derived_from<std::decay_t<Target>, Thread> &&
                 detail::thread_target<Target, Args...>)
    explicit Thread(Target&& target, Args&&... args)
        : Thread(ThreadOptions{},
                 detail::bind_body(std::forward<Target>(target), std::forward<Args>(args)...)) {}

    /// The same, with options: `Thread({.name = "watcher", .daemon = true}, watch, 5)`.
    template <class Target, class... Args>
        requires detail::thread_target<Target, Args...>
    Thread(ThreadOptions options, Target&& target, Args&&... args)
        : Thread(std::move(options),
                 detail::bind_body(std::forward<Target>(target), std::forward<Args>(args)...)) {}

    /// A thread that runs a `T` made from the arguments; `->` of the result reaches it. The object
    /// lives until the last handle is gone and its run() has returned.
    template <std::derived_from<Runnable> T, class... Args>
        requires std::constructible_from<T, Args...>
    [[nodiscard]] static ThreadOf<T> of(Args&&... args);
    template <std::derived_from<Runnable> T, class... Args>
        requires std::constructible_from<T, Args...>
    [[nodiscard]] static ThreadOf<T> of(ThreadOptions options, Args&&... args);

    Thread(const Thread&) = default;
    Thread& operator=(const Thread&) = default;
    ~Thread() = default;

    /// Starts the thread, and blocks until it has recorded its identifiers and is listed.
    ///
    /// Throws `std::runtime_error` when it has been started before, also when it has ended since,
    /// and when the program has ended: after the last non-daemon thread was joined. Throws
    /// `std::system_error` when the system refuses the thread (its message names the call), which
    /// leaves no trace: start() may be tried again.
    WEFT_API void start();

    /// Calls the target, or the Runnable's run(), on the calling thread. The target and its
    /// arguments are destroyed afterwards, so this works once, or start() does; a Runnable may be
    /// run again. Throws what the target throws, and `std::runtime_error` when it is gone.
    WEFT_API void run();

    /// Blocks until the thread has ended, or `timeout` has passed: ask is_alive() which. Zero and
    /// negative limits do not block. Any threads may join, at once and again.
    ///
    /// Throws `std::runtime_error` for a thread that has not been started, for the calling thread
    /// itself, for one that Weft has not started (but for the main thread, which is joined when it
    /// begins to end the program), and for a daemon once the program has ended;
    /// weft::KeyboardInterrupt as Lock::acquire() does.
    WEFT_API void join(Timeout timeout = {}) const;

    /// The same; throws weft::Cancelled when `stop` is triggered first.
    WEFT_API void join(std::stop_token stop, Timeout timeout = {}) const;

    /// A label without meaning. Throws `std::bad_alloc`.
    [[nodiscard]] WEFT_API std::string name() const;
    /// On the thread itself this also changes the name that the system shows: as many whole UTF-8
    /// characters as fit into 15 bytes on Linux. A thread that is started takes its name along.
    WEFT_API void set_name(std::string name) const;

    /// The thread's identifier, not zero; nothing before it has started. May be used again for
    /// another thread after this one was joined.
    [[nodiscard]] WEFT_API std::optional<std::uint64_t> ident() const;
    /// The number that the kernel gave it; nothing before it has started.
    [[nodiscard]] WEFT_API std::optional<std::uint64_t> native_id() const;

    /// True from before the target is called until it has returned and the thread's `thread_local`
    /// objects are destroyed; a snapshot.
    [[nodiscard]] WEFT_API bool is_alive() const noexcept;

    /// Whether the program may end without waiting for it.
    [[nodiscard]] WEFT_API bool daemon() const noexcept;
    /// Throws `std::runtime_error` once it has been started.
    WEFT_API void set_daemon(bool daemon) const;

    /// Asks the thread to stop, which it learns by its stop token. Returns false when that was
    /// asked before.
    WEFT_API bool request_stop() const noexcept;
    [[nodiscard]] WEFT_API std::stop_token get_stop_token() const noexcept;
    [[nodiscard]] WEFT_API std::stop_source get_stop_source() const noexcept;

    /// Python's text form, such as `<Thread(Thread-1, started daemon 140245)>`; for a Runnable it
    /// begins with its class.
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
    friend struct detail::ThreadAccess;
    friend struct std::hash<Thread>;
    template <class T>
    friend class ThreadOf;
    friend class Timer;

    WEFT_API Thread(ThreadOptions options, std::unique_ptr<detail::ThreadBody> body);
    WEFT_API Thread(ThreadOptions options, std::shared_ptr<detail::ThreadBody> object);
    Thread(std::shared_ptr<detail::ThreadState> state, std::shared_ptr<detail::ThreadBody> object)
        : state_(std::move(state)), object_(std::move(object)) {}

    std::shared_ptr<detail::ThreadState> state_;  ///< never null
    std::shared_ptr<detail::ThreadBody> object_;  ///< what runs a Runnable; null for a target
};

/// A Thread that runs a T, which `*` and `->` reach. Copies and slices to a Thread as handles do.
/// The object is the users': what it shares with the running thread, it must protect.
template <class T>
class ThreadOf : public Thread {
public:
    [[nodiscard]] T& operator*() const noexcept { return *runnable_; }
    [[nodiscard]] T* operator->() const noexcept { return runnable_; }

private:
    friend class Thread;

    ThreadOf(ThreadOptions options, const std::shared_ptr<detail::RunnableBody<T>>& body)
        : Thread(std::move(options), std::shared_ptr<detail::ThreadBody>(body)),
          runnable_(&body->runnable) {}

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
    return ThreadOf<T>(std::move(options), std::make_shared<detail::RunnableBody<T>>(
                                               std::in_place, std::forward<Args>(args)...));
}

/// Ties a thread to a scope: starts it now, and joins it at the scope's end.
///
/// When the scope is left by an exception, and the thread's target takes a stop token, it is asked
/// to stop first. The destructor blocks until the thread has ended, also against Ctrl-C and also
/// while an exception unwinds; on the joined thread itself it does not wait, and for a daemon not
/// once the program has ended. Movable; one owner.
///
///     threading::Joining worker{threading::Thread(work, 1)};
class Joining {
public:
    /// Throws as Thread::start() does.
    WEFT_API explicit Joining(Thread thread);
    Joining(Joining&& other) noexcept = default;
    /// Joins the thread that was held so far.
    WEFT_API Joining& operator=(Joining&& other) noexcept;
    WEFT_API ~Joining();

    /// The thread. Not for an object that was moved from.
    [[nodiscard]] const Thread& thread() const noexcept { return *thread_; }
    [[nodiscard]] const Thread* operator->() const noexcept { return thread_.get(); }

private:
    void finish() noexcept;

    std::unique_ptr<Thread> thread_;  ///< null once moved from
    int unwinding_;  ///< how many exceptions were under way when the scope was entered
};

}  // namespace weft::threading

/// Equal handles have equal hashes.
template <>
struct std::hash<weft::threading::Thread> {
    std::size_t operator()(const weft::threading::Thread& thread) const noexcept {
        return std::hash<std::shared_ptr<weft::detail::ThreadState>>()(thread.state_);
    }
};

template <class T>
struct std::hash<weft::threading::ThreadOf<T>> : std::hash<weft::threading::Thread> {};
