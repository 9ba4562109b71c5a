#pragma once

#include <cstddef>
#include <stdexcept>
#include <vector>

#include <weft/_thread/identity.hpp>
#include <weft/detail/config.hpp>
#include <weft/threading/thread.hpp>
#include <weft/timeout.hpp>

namespace weft::threading {

using _thread::get_ident;
using _thread::get_native_id;
using _thread::stack_size;
using weft::TIMEOUT_MAX;

/// What wrong use of threads and locks throws.
using ThreadError = std::runtime_error;

/// Whether a thread whose options name no context begins with a copy of the context in which
/// start() was called; otherwise, as at first, it begins with an empty one. What Python calls the
/// flag `thread_inherit_context`.
[[nodiscard]] WEFT_API bool thread_inherit_context() noexcept;
/// Chooses that for threads that are started from now on, and returns what was chosen before.
WEFT_API bool thread_inherit_context(bool inherits) noexcept;

/// The calling thread.
///
/// A thread that Weft has not started is met here for the first time and gets a state of its own,
/// until it ends: a dummy named `Dummy-1` and so on, a daemon, alive, and not to be joined. It is
/// listed from then on. Throws `std::bad_alloc`, and `std::system_error` when the system has no
/// means left to watch for the thread's end.
[[nodiscard]] WEFT_API Thread current_thread();
[[deprecated("use current_thread()")]] [[nodiscard]] WEFT_API Thread currentThread();

/// The thread that the program began in; in a child of fork(), the thread that forked. It is the
/// main thread, alive or not, to the end of the process. Throws `std::bad_alloc`.
[[nodiscard]] WEFT_API Thread main_thread();

/// All threads that are alive, the main thread first: those that Weft has started, daemons and
/// those just being started included, and those others started that have called current_thread().
/// A thread that was joined is not listed. Throws `std::bad_alloc`.
[[nodiscard]] WEFT_API std::vector<Thread> enumerate();

/// How many enumerate() would list.
[[nodiscard]] WEFT_API std::size_t active_count() noexcept;
[[deprecated("use active_count()")]] [[nodiscard]] WEFT_API std::size_t activeCount() noexcept;

}  // namespace weft::threading
