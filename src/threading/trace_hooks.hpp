#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>

#include <weft/detail/atomic.hpp>
#include <weft/detail/config.hpp>
#include <weft/detail/low_lock.hpp>
#include <weft/threading/trace.hpp>

// Who is called when a traced function is called. The two functions that the compiler calls are in
// src/trace/ and belong to a library of their own; this is what they and threads share.
//
// State of the program: for each kind of hook, the one for threads started later, and the one that
// was last set for all threads with the number of that setting. Each is one pointer that is
// replaced by one store under a LowLock, so that a fork in the middle leaves the old or the new.
//
// State of a thread, its own alone: its hooks, the number of the last setting for all that it has
// followed, and whether it is inside a hook or at its end, so that nothing is reported. It follows
// a newer setting at its next traced call.
//
// A hook is counted: by each place of the program's that holds it and each thread that has it. A
// call takes no count of its own, which all threads would meet at: a thread that replaces the hook
// in which it is keeps the older one until it has left it. A thread gives its own back in its end
// slot, after its thread_local objects; the program's are never given back. After fork, what other
// threads held stays counted for ever.
//
// Order at the end of the program: once the phase is finalized nothing is called any more, so no
// hook meets a static object that is gone, unless its thread was inside the hook by then.

namespace weft::detail {

enum class HookKind : std::uint8_t { trace, profile };
inline constexpr std::size_t kHookKinds = 2;

/// A counted function.
struct TraceBox {
    threading::TraceFunction function;
    Atomic<std::uint32_t> owners{1};
};

/// A share of a box, or none.
class TraceShare {
public:
    constexpr TraceShare() noexcept = default;
    /// Throws `std::bad_alloc`. None for an empty function.
    explicit TraceShare(threading::TraceFunction&& function)
        : box_(function ? new TraceBox{std::move(function)} : nullptr) {}
    TraceShare(const TraceShare& other) noexcept : TraceShare(share(other.box_)) {}
    TraceShare(TraceShare&& other) noexcept : box_(std::exchange(other.box_, nullptr)) {}
    TraceShare& operator=(TraceShare other) noexcept {
        std::swap(box_, other.box_);
        return *this;
    }
    ~TraceShare() { release(box_); }

    /// A share of what somebody else keeps alive meanwhile.
    static TraceShare share(TraceBox* box) noexcept {
        if (box != nullptr) box->owners.fetch_add(1, std::memory_order_relaxed);
        return own(box);
    }
    /// A share that was given up.
    static TraceShare own(TraceBox* box) noexcept {
        TraceShare made;
        made.box_ = box;
        return made;
    }
    static void release(TraceBox* box) noexcept {
        // The last owner has seen everything that the others did with the function.
        if (box != nullptr && box->owners.fetch_sub(1, std::memory_order_acq_rel) == 1) delete box;
    }
    [[nodiscard]] TraceBox* get() const noexcept { return box_; }
    [[nodiscard]] TraceBox* give_up() noexcept { return std::exchange(box_, nullptr); }

private:
    TraceBox* box_ = nullptr;
};

/// A place of the program's. Never destroyed.
class TracePlace {
public:
    [[nodiscard]] TraceShare get() noexcept;
    /// Returns what was there, for the caller to drop where a user's destructor may run.
    [[nodiscard]] TraceShare exchange(TraceShare share) noexcept;

private:
    LowLock lock_;
    Atomic<TraceBox*> box_{nullptr};
};

/// A thread's own. Needs no destructor, so that it can be read until the thread's last instruction.
struct ThreadTrace {
    bool is_silent = false;  ///< inside a hook, or at the thread's end
    bool has_ended = false;
    std::uint64_t followed = 0;  ///< the number of the last setting for all that it knows
    std::array<TraceBox*, kHookKinds> hooks{};
    TraceBox* running = nullptr;   ///< the one that the thread is in
    TraceBox* outlived = nullptr;  ///< the same, when it was replaced meanwhile
};

/// Keeps the calling thread silent over a scope. Calls nothing, since any function that others
/// compile too may be one of theirs that is traced.
class Silence {
public:
    WEFT_NOT_INSTRUMENTED explicit Silence(ThreadTrace& thread) noexcept
        : thread_(thread), was_silent_(thread.is_silent) {
        thread_.is_silent = true;
    }
    WEFT_NOT_INSTRUMENTED ~Silence() { thread_.is_silent = was_silent_ || thread_.has_ended; }
    Silence(const Silence&) = delete;
    Silence& operator=(const Silence&) = delete;

private:
    ThreadTrace& thread_;
    bool was_silent_;
};

WEFT_API extern constinit thread_local ThreadTrace this_thread_trace;
/// How often a hook was set for all threads.
WEFT_API extern constinit Atomic<std::uint64_t> trace_settings;

/// Whether report_call() would do anything.
[[nodiscard]] inline bool is_traced(const ThreadTrace& thread) noexcept {
    // Acquire pairs with the release of the setting, so that whoever sees its number finds it.
    return thread.hooks[0] != nullptr || thread.hooks[1] != nullptr ||
           thread.followed != trace_settings.load(std::memory_order_acquire);
}

/// Calls the calling thread's hooks. The caller has made it silent.
WEFT_API void report_call(ThreadTrace& thread, threading::TraceEvent event, const void* function,
                          const void* call_site, const CodePlaces& places);

/// The calling thread's own hook.
WEFT_API void set_thread_hook(HookKind kind, threading::TraceFunction&& function);
[[nodiscard]] WEFT_API threading::TraceFunction thread_hook(HookKind kind);

/// On a thread of threading's, before its target runs.
void take_hooks_for_new_threads() noexcept;
/// At the thread's end: gives its hooks back, and takes no more.
void end_thread_trace() noexcept;

/// Gives the calling thread other hooks for a scope: those of the places, where these have one.
/// Afterwards it has its own again, unless there was a setting for all threads meanwhile.
class ScopedHooks {
public:
    explicit ScopedHooks(std::array<TracePlace, kHookKinds>& places) noexcept;
    ~ScopedHooks();
    ScopedHooks(const ScopedHooks&) = delete;
    ScopedHooks& operator=(const ScopedHooks&) = delete;

private:
    std::array<TraceShare, kHookKinds> before_;
    std::uint64_t followed_;
};

}  // namespace weft::detail
