#pragma once

#include <cstddef>
#include <stdexcept>
#include <vector>

#include <weft/_dummy_thread.hpp>
#include <weft/_thread/identity.hpp>
#include <weft/detail/config.hpp>
#include <weft/dummy_threading/thread.hpp>
#include <weft/threading/excepthook.hpp>
#include <weft/threading/trace.hpp>

namespace weft::dummy_threading {

using _dummy_thread::get_ident;
using _dummy_thread::stack_size;
using _dummy_thread::TIMEOUT_MAX;
using _thread::get_native_id;

/// Called with what leaves a thread's target, without a thread.
using threading::excepthook;
using threading::ExceptHook;
using threading::ExceptHookArgs;
using threading::original_excepthook;

/// What wrong use of threads and locks throws.
using ThreadError = std::runtime_error;

/// The thread whose target runs now, innermost; else the main thread.
[[nodiscard]] WEFT_API Thread current_thread();
[[deprecated("use current_thread()")]] [[nodiscard]] WEFT_API Thread currentThread();
/// What is not in a thread. Every thread of the system's has one.
[[nodiscard]] WEFT_API Thread main_thread();
/// The main thread and those whose targets run now, one inside the other.
[[nodiscard]] WEFT_API std::vector<Thread> enumerate();
/// How many enumerate() lists.
[[nodiscard]] WEFT_API std::size_t active_count();
[[deprecated("use active_count()")]] [[nodiscard]] WEFT_API std::size_t activeCount();

/// Has `func` called for the calls and returns of what threads run that are started from now on, by
/// any thread of the system's, and not before or after. Otherwise as threading::settrace(), which
/// these do not change.
WEFT_API void settrace(threading::TraceFunction func);
WEFT_API void setprofile(threading::TraceFunction func);

}  // namespace weft::dummy_threading
