#pragma once

#include <atomic>
#include <cstdint>

#ifdef WEFT_MODEL
#    include "model/atomic.hpp"
#endif

/// Every atomic that an engine of Weft coordinates through is a `weft::detail::Atomic`, and every
/// futex call goes through `weft::os`. In an ordinary build the alias is `std::atomic` itself. A
/// model build (WEFT_MODEL, tests only) puts a type in its place that hands control to a scheduler
/// before each operation, so that interleavings can be chosen, recorded and replayed.

namespace weft::detail {

#ifdef WEFT_MODEL
template <class T>
using Atomic = model::Atomic<T>;
#else
template <class T>
using Atomic = std::atomic<T>;
#endif

/// A 32-bit word that threads sleep on.
using FutexWord = Atomic<std::uint32_t>;

}  // namespace weft::detail
