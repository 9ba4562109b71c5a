#include <weft/threading/trace.hpp>

#include <exception>
#include <mutex>
#include <new>
#include <string>
#include <utility>

#include <weft/_thread/identity.hpp>
#include <weft/unraisable.hpp>

#include "detail/describe.hpp"
#include "os/posix/forced_unwind.hpp"
#include "runtime/exit.hpp"
#include "runtime/this_thread.hpp"
#include "threading/trace_hooks.hpp"

namespace weft::detail {

struct FrameAccess {
    static threading::Frame make(const void* function, const void* call_site,
                                 const CodePlaces& places) noexcept {
        return {function, call_site, _thread::get_ident(), places};
    }
};

constinit thread_local ThreadTrace this_thread_trace;
constinit Atomic<std::uint64_t> trace_settings{0};

namespace {

using threading::Frame;
using threading::TraceEvent;
using threading::TraceFunction;

/// Set once, by whoever sets the first hook, so that threads of programs without hooks do not look
/// for one.
constinit Atomic<bool> has_hooks{false};
constinit std::array<TracePlace, kHookKinds> for_new_threads;

struct Everywhere {
    TracePlace place;
    Atomic<std::uint64_t> number{0};
};
constinit std::array<Everywhere, kHookKinds> for_all_threads;

constexpr std::size_t index_of(HookKind kind) noexcept {
    return static_cast<std::size_t>(kind);
}

/// The one before is given back last, since its destructor is a user's.
void replace_hook(ThreadTrace& thread, std::size_t kind, TraceShare share) noexcept {
    TraceBox* const before = std::exchange(thread.hooks[kind], share.give_up());
    if (before != nullptr && before == thread.running && thread.outlived == nullptr) {
        thread.outlived = before;
    } else {
        TraceShare::release(before);
    }
}

/// Notes what the thread is in, for a scope.
class Running {
public:
    Running(ThreadTrace& thread, TraceBox* box) noexcept : thread_(thread) {
        thread_.running = box;
    }
    ~Running() {
        thread_.running = nullptr;
        TraceShare::release(std::exchange(thread_.outlived, nullptr));
    }
    Running(const Running&) = delete;
    Running& operator=(const Running&) = delete;

private:
    ThreadTrace& thread_;
};

/// So that the thread's hooks are given back. Without a slot they are not, which costs memory.
void watch_for_the_end() noexcept {
    runtime::end_of_tracing.store(&end_thread_trace, std::memory_order_release);
    (void)runtime::try_end_slot();
}

/// Takes what was set for all threads since the thread last looked.
void follow_settings(ThreadTrace& thread) noexcept {
    const std::uint64_t known = thread.followed;
    // Before the hooks are read: a setting that comes in between is followed next time once more.
    thread.followed = trace_settings.load(std::memory_order_acquire);
    for (std::size_t kind = 0; kind < kHookKinds; ++kind) {
        if (for_all_threads[kind].number.load(std::memory_order_acquire) <= known) continue;
        replace_hook(thread, kind, for_all_threads[kind].place.get());
    }
    watch_for_the_end();
}

void report_failure(std::size_t kind, const Frame& frame, const std::exception_ptr& failure) {
    const bool is_trace = kind == index_of(HookKind::trace);
    try {
        report_unraisable({failure,
                           is_trace ? "A trace function has failed and is not called any more in "
                                      "this thread; it was told of"
                                    : "A profile function has failed and is not called any more in "
                                      "this thread; it was told of",
                           std::string(frame.name())});
    } catch (const std::bad_alloc&) {
        write_to_stderr(
            "weft: a trace function has failed, and no memory was left to describe it\n");
    }
}

void call_hook(ThreadTrace& thread, std::size_t kind, const Frame& frame, TraceEvent event) {
    TraceBox* const box = thread.hooks[kind];
    if (box == nullptr) return;
    const Running running(thread, box);
    std::exception_ptr failure;
    try {
        box->function(frame, event);
    } catch (const os::ForcedUnwind&) {
        throw;
    } catch (...) {
        failure = std::current_exception();
    }
    if (failure == nullptr) return;
    if (thread.hooks[kind] == box) replace_hook(thread, kind, {});
    report_failure(kind, frame, failure);
}

/// Returns what was there, which is not to be dropped under a lock.
TraceShare set_for_new_threads(HookKind kind, const TraceShare& share) noexcept {
    TraceShare before = for_new_threads[index_of(kind)].exchange(share);
    has_hooks.store(true, std::memory_order_release);
    return before;
}

void set_for_all_threads(HookKind kind, TraceFunction&& function) {
    const TraceShare share(std::move(function));
    TraceShare before;  // these two are dropped after the lock
    TraceShare before_for_new;
    // Over both places, so that of two calls one has the last word in both.
    static constinit LowLock one_after_the_other;
    const std::scoped_lock held(one_after_the_other);
    before_for_new = set_for_new_threads(kind, share);
    Everywhere& everywhere = for_all_threads[index_of(kind)];
    const std::uint64_t number = trace_settings.load(std::memory_order_relaxed) + 1;
    before = everywhere.place.exchange(share);
    everywhere.number.store(number, std::memory_order_release);
    // Release: whoever sees the number finds what was set.
    trace_settings.store(number, std::memory_order_release);
}

TraceFunction function_of(const TraceShare& share) {
    return share.get() != nullptr ? share.get()->function : TraceFunction();
}

}  // namespace

TraceShare TracePlace::get() noexcept {
    const std::scoped_lock held(lock_);
    return TraceShare::share(box_.load(std::memory_order_relaxed));
}

TraceShare TracePlace::exchange(TraceShare share) noexcept {
    const std::scoped_lock held(lock_);
    return TraceShare::own(box_.exchange(share.give_up(), std::memory_order_relaxed));
}

void report_call(ThreadTrace& thread, TraceEvent event, const void* function, const void* call_site,
                 const CodePlaces& places) {
    if (runtime::phase() == runtime::Phase::finalized) return;
    if (thread.followed != trace_settings.load(std::memory_order_acquire)) follow_settings(thread);
    const Frame frame = FrameAccess::make(function, call_site, places);
    for (std::size_t kind = 0; kind < kHookKinds; ++kind) call_hook(thread, kind, frame, event);
}

void set_thread_hook(HookKind kind, TraceFunction&& function) {
    ThreadTrace& thread = this_thread_trace;
    TraceShare share(std::move(function));
    const Silence silence(thread);
    if (thread.has_ended) return;
    // Without this the hook of an older setting for all threads would replace it.
    follow_settings(thread);
    replace_hook(thread, index_of(kind), std::move(share));
}

TraceFunction thread_hook(HookKind kind) {
    ThreadTrace& thread = this_thread_trace;
    const Silence silence(thread);
    if (!thread.has_ended) follow_settings(thread);
    return function_of(TraceShare::share(thread.hooks[index_of(kind)]));
}

void take_hooks_for_new_threads() noexcept {
    if (!has_hooks.load(std::memory_order_acquire)) return;
    ThreadTrace& thread = this_thread_trace;
    const Silence silence(thread);
    watch_for_the_end();
    thread.followed = trace_settings.load(std::memory_order_acquire);
    for (std::size_t kind = 0; kind < kHookKinds; ++kind) {
        replace_hook(thread, kind, for_new_threads[kind].get());
    }
}

void end_thread_trace() noexcept {
    ThreadTrace& thread = this_thread_trace;
    if (thread.has_ended) return;
    thread.is_silent = true;
    thread.has_ended = true;
    for (std::size_t kind = 0; kind < kHookKinds; ++kind) replace_hook(thread, kind, {});
}

ScopedHooks::ScopedHooks(std::array<TracePlace, kHookKinds>& places) noexcept
    : followed_(this_thread_trace.followed) {
    ThreadTrace& thread = this_thread_trace;
    if (thread.has_ended) return;
    const Silence silence(thread);
    follow_settings(thread);
    followed_ = thread.followed;
    for (std::size_t kind = 0; kind < kHookKinds; ++kind) {
        before_[kind] = TraceShare::share(thread.hooks[kind]);
        TraceShare own = places[kind].get();
        if (own.get() != nullptr) replace_hook(thread, kind, std::move(own));
    }
}

ScopedHooks::~ScopedHooks() {
    ThreadTrace& thread = this_thread_trace;
    if (thread.followed != followed_ || thread.has_ended) return;
    const Silence silence(thread);
    for (std::size_t kind = 0; kind < kHookKinds; ++kind) {
        replace_hook(thread, kind, std::move(before_[kind]));
    }
}

}  // namespace weft::detail

namespace weft::threading {

void settrace(TraceFunction func) {
    detail::set_for_new_threads(detail::HookKind::trace, detail::TraceShare(std::move(func)));
}

void setprofile(TraceFunction func) {
    detail::set_for_new_threads(detail::HookKind::profile, detail::TraceShare(std::move(func)));
}

void settrace_all_threads(TraceFunction func) {
    detail::set_for_all_threads(detail::HookKind::trace, std::move(func));
}

void setprofile_all_threads(TraceFunction func) {
    detail::set_for_all_threads(detail::HookKind::profile, std::move(func));
}

TraceFunction gettrace() {
    return detail::function_of(
        detail::for_new_threads[detail::index_of(detail::HookKind::trace)].get());
}

TraceFunction getprofile() {
    return detail::function_of(
        detail::for_new_threads[detail::index_of(detail::HookKind::profile)].get());
}

}  // namespace weft::threading
