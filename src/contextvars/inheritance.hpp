#pragma once

#include <memory>

#include <weft/detail/thread_body.hpp>

namespace weft::contextvars::detail {

/// What gives a new thread the values that the calling thread has of inheritable variables; null
/// when there are none. Its run() cannot fail. Throws `std::bad_alloc`.
[[nodiscard]] std::unique_ptr<weft::detail::ThreadBody> pack_inheritance();

}  // namespace weft::contextvars::detail
