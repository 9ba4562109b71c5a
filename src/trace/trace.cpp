#include <weft/trace.hpp>

#include <utility>

#include "threading/trace_hooks.hpp"
#include "trace/places.hpp"

// What the compilers call, and the hooks of one thread. src/threading/trace_hooks.hpp has the
// state. In one file, so that a program that is linked statically and uses either gets both.
//
// This file is compiled with its symbols visible. It must call nothing
// before the thread is silent: at the lowest optimisation even the loads of a std::atomic are
// functions, of which the linker may have taken the copy that a user's unit has instrumented.

extern "C" {
WEFT_NOT_INSTRUMENTED void __cyg_profile_func_enter(void* function, void* call_site);
WEFT_NOT_INSTRUMENTED void __cyg_profile_func_exit(void* function, void* call_site);
}

namespace {

using weft::detail::HookKind;
using weft::detail::Silence;
using weft::detail::ThreadTrace;
using weft::threading::TraceEvent;

WEFT_NOT_INSTRUMENTED void report(TraceEvent event, const void* function, const void* call_site) {
    ThreadTrace& thread = weft::detail::this_thread_trace;
    if (thread.is_silent) return;
    const Silence silence(thread);
    if (!weft::detail::is_traced(thread)) return;
    weft::detail::report_call(thread, event, function, call_site, weft::trace::places());
}

}  // namespace

void __cyg_profile_func_enter(void* function, void* call_site) {
    report(TraceEvent::call, function, call_site);
}

void __cyg_profile_func_exit(void* function, void* call_site) {
    report(TraceEvent::return_, function, call_site);
}

namespace weft::trace {

void settrace(TraceFunction func) {
    detail::set_thread_hook(HookKind::trace, std::move(func));
}

void setprofile(TraceFunction func) {
    detail::set_thread_hook(HookKind::profile, std::move(func));
}

TraceFunction gettrace() {
    return detail::thread_hook(HookKind::trace);
}

TraceFunction getprofile() {
    return detail::thread_hook(HookKind::profile);
}

}  // namespace weft::trace
