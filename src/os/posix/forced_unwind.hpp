#pragma once

#include <exception>

#if defined(__GLIBCXX__)
#    include <cxxabi.h>
#endif

namespace weft::os {

/// What pthread_exit() and pthread_cancel() unwind a stack with. Whoever catches everything must
/// catch this first and rethrow it: to swallow it ends the process.
#if defined(__GLIBCXX__)
using ForcedUnwind = abi::__forced_unwind;
#else
/// Never thrown: with this library, forced unwinding passes every handler by itself.
struct ForcedUnwind {};
#endif

}  // namespace weft::os
