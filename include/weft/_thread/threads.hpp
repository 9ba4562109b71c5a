#pragma once

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <utility>

#include <weft/detail/config.hpp>
#include <weft/detail/thread_body.hpp>
#include <weft/timeout.hpp>

namespace weft::_thread {
class ThreadHandle;
}

namespace weft::detail {
class ThreadState;

/// Starts a thread that runs a body and is listed nowhere. A given handle becomes the thread's
/// before it runs, and is of no thread again when it could not be started.
[[nodiscard]] WEFT_API _thread::ThreadHandle start_bare(std::unique_ptr<ThreadBody> body,
                                                        bool daemon,
                                                        _thread::ThreadHandle* handle = nullptr);
}  // namespace weft::detail

/// Bare threads, on which `weft::threading` is built. Prefer its Thread.
namespace weft::_thread {

/// What wrong use of locks and threads throws.
using error = std::runtime_error;
using weft::TIMEOUT_MAX;

/// A thread that start_joinable_thread() has started. Copies mean the same thread; dropping them
/// changes nothing for it. Every member may be called by any threads at once, but for the
/// assignment and the destructor of one handle.
class ThreadHandle {
public:
    /// A handle of no thread, for start_joinable_thread() to fill.
    ThreadHandle() noexcept = default;

    /// The thread's identifier; 0 of no thread.
    [[nodiscard]] WEFT_API std::uint64_t ident() const noexcept;

    /// True once the thread has ended, with its `thread_local` objects; false of no thread.
    [[nodiscard]] WEFT_API bool is_done() const noexcept;

    /// Blocks until the thread has ended, or `timeout` has passed: ask is_done() which. Zero and
    /// negative limits do not block. Throws `std::runtime_error` for a handle of no thread, on the
    /// thread itself, and for a daemon once the program has ended; weft::KeyboardInterrupt as
    /// LockType::acquire() does.
    WEFT_API void join(Timeout timeout = {}) const;

private:
    friend ThreadHandle weft::detail::start_bare(std::unique_ptr<weft::detail::ThreadBody> body,
                                                 bool daemon, ThreadHandle* handle);

    std::shared_ptr<weft::detail::ThreadState> state_;  ///< null of no thread
};

/// How start_joinable_thread() starts a thread; each member may be left out.
struct JoinableOptions {
    /// Also becomes the thread's handle, before the function is called, which may therefore use it.
    /// Throws `std::runtime_error` when it is one already.
    ThreadHandle* handle = nullptr;
    /// Whether the program may end without waiting for the thread.
    bool daemon = true;
};

/// Starts a thread that calls the function with copies of the arguments, and returns its
/// identifier. Blocks until the thread runs. The program does not wait for it at its end.
///
/// A SystemExit that leaves the function ends the thread silently, and any other exception goes to
/// `weft::unraisablehook` with the function's name; the program goes on in either case. The thread
/// is not listed by `threading::enumerate()`; when it calls `threading::current_thread()` it
/// becomes a dummy and is.
///
/// Throws what the copies throw, `std::bad_alloc`, `std::runtime_error` when the program has ended,
/// and `std::system_error` when the system refuses the thread; then nothing was started.
template <class Function, class... Args>
    requires weft::detail::thread_target<Function, Args...>
std::uint64_t start_new_thread(Function&& function, Args&&... args) {
    return weft::detail::start_bare(weft::detail::bind_body(std::forward<Function>(function),
                                                            std::forward<Args>(args)...),
                                    true)
        .ident();
}

template <class Function, class... Args>
    requires weft::detail::thread_target<Function, Args...>
[[deprecated("use start_new_thread()")]] std::uint64_t start_new(Function&& function,
                                                                 Args&&... args) {
    return start_new_thread(std::forward<Function>(function), std::forward<Args>(args)...);
}

/// The same for a function without arguments, and returns a handle to join it by.
template <class Function>
    requires weft::detail::thread_target<Function>
ThreadHandle start_joinable_thread(Function&& function, const JoinableOptions& options = {}) {
    if (options.handle != nullptr && options.handle->ident() != 0) {
        throw std::runtime_error("start_joinable_thread: the handle is of another thread already");
    }
    return weft::detail::start_bare(weft::detail::bind_body(std::forward<Function>(function)),
                                    options.daemon, options.handle);
}

/// Ends the calling thread, silently, by throwing weft::SystemExit.
[[noreturn]] WEFT_API void exit();
[[deprecated("use exit()")]] [[noreturn]] WEFT_API void exit_thread();

/// Whether threads may be daemons here: always.
[[nodiscard]] constexpr bool daemon_threads_allowed() noexcept {
    return true;
}

}  // namespace weft::_thread
