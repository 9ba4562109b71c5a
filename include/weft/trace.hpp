#pragma once

#include <weft/detail/config.hpp>
#include <weft/threading/trace.hpp>

/// Function tracing, the component `weft::trace`: a library of its own, which a program links when
/// parts of it are compiled with `-finstrument-functions`. Their calls and returns are then
/// reported to the hooks that threading::settrace() and its relatives set, and to those set here,
/// which are Python's `sys.settrace` and `sys.setprofile`.
///
///     target_compile_options(engine PRIVATE -finstrument-functions -g1)
///     target_link_libraries(engine PRIVATE weft::trace)
///
/// What is not compiled so is never reported and pays nothing. What is pays, where no hook is set,
/// for two calls that look at a `thread_local` and a counter of the program's.
///
/// What the compilers do. GCC also reports functions that were inlined into others, leaves out
/// files and functions by `-finstrument-functions-exclude-file-list=/usr/include,weft/` and
/// `-exclude-function-list=`, and reports the return also when an exception leaves a function.
/// Clang reports no return then. It has `-finstrument-functions-after-inlining`, which reports what
/// is left of calls, and is the form for code that uses `std::string` of libstdc++ 12: the other
/// asks for the addresses of members that exist inline only, and does not link.
///
/// A signal handler must not be compiled so, nor call what is: mark it
/// `[[gnu::no_instrument_function]]`.
///
/// The program itself must link `weft::trace`, also when only a shared library of its is compiled
/// so: glibc has two empty functions of the same names, which the dynamic linker otherwise finds
/// first, and nothing is reported. A linker that is told `--as-needed` drops the shared form from a
/// program that does not use it directly; `-Wl,--no-as-needed` before it keeps it. A plugin that is
/// loaded by dlopen() is reported when the program links `weft::trace` shared, or exports its own
/// symbols (`ENABLE_EXPORTS`).
namespace weft::trace {

using threading::Frame;
using threading::TraceEvent;
using threading::TraceFunction;

/// Has `func` called for the calls and returns of the calling thread, in place of what was set for
/// it before, by whichever function. An empty one ends that. Otherwise as threading::settrace().
/// Does nothing in a thread that is past its `thread_local` objects. Throws `std::bad_alloc`, and
/// then nothing has changed.
WEFT_API void settrace(TraceFunction func);
WEFT_API void setprofile(TraceFunction func);

/// The calling thread's own hook, however it got it; empty when there is none. Throws what copying
/// the function throws.
[[nodiscard]] WEFT_API TraceFunction gettrace();
[[nodiscard]] WEFT_API TraceFunction getprofile();

}  // namespace weft::trace
