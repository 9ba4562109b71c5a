#pragma once

#include <memory>

#include <weft/detail/atomic.hpp>
#include <weft/detail/thread_body.hpp>

namespace weft::contextvars::detail {

/// Whether a thread for which no context was chosen begins with a copy of its starter's. Relaxed:
/// it orders nothing.
extern weft::detail::Atomic<bool> inherits_context;

/// What gives a new thread the values that the calling thread has of inheritable variables, or all
/// its values, as `inherits_context` says; null when there are none. Its run() cannot fail. Throws
/// `std::bad_alloc`.
[[nodiscard]] std::unique_ptr<weft::detail::ThreadBody> pack_inheritance();

}  // namespace weft::contextvars::detail
