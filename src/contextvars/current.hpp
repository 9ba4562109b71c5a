#pragma once

#include <weft/contextvars/binding.hpp>

// A thread's current context: its own, until Context::run() makes another one current for a while.
//
// The bindings of the current context are the thread's alone, in `current`; what an entered Context
// holds meanwhile is what it held when it was entered. So setting a variable needs no lock, and
// another thread that reads an entered Context gets something whole.
//
// End: a thread releases its own context in the destructor of a thread_local object that its first
// set makes. Values that later such destructors set are never destroyed.

namespace weft::contextvars::detail {

/// Makes a context current that has these bindings and this number, or 0. It takes over a share of
/// the bindings, unless `is_lent`: then it takes a share of its own only before it changes them,
/// and the caller's must last until leave().
void enter(Frame& frame, const void* context, Bindings bindings, bool is_lent,
           std::uint64_t number) noexcept;

/// What the context that leave() ended was.
struct Left {
    Bindings bindings;
    bool is_lent;  ///< nothing was set: they are what enter() was given
    std::uint64_t number;
};
/// Makes the context current again that was current before; the caller gets the share, if there is
/// one.
[[nodiscard]] Left leave(Frame& frame) noexcept;

/// Gives a thread that has set nothing yet these bindings, of which it takes over a share.
void begin_thread(Bindings bindings) noexcept;

/// Whether any variable is one that threads inherit; a snapshot.
[[nodiscard]] bool has_inheritable_variables() noexcept;

/// The bindings of a context that this thread has entered; null when it has not.
[[nodiscard]] const Bindings* entered_bindings(const void* context) noexcept;

}  // namespace weft::contextvars::detail
