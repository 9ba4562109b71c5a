#pragma once

#include <weft/detail/atomic.hpp>

namespace weft::detail {

// How Ctrl-C reaches a wait. The handler runs on the main thread (elsewhere it forwards the signal)
// and therefore between two instructions of it: it leaves a note, and pokes the sleep that the main
// thread is about to begin or in. Either the main thread sees the note before it asks the kernel to
// sleep, or what it sleeps on has changed and the kernel refuses.

/// Makes interrupts end the main thread's sleeps, or no longer. Called on the main thread.
void enable_interrupts() noexcept;
void disable_interrupts() noexcept;
[[nodiscard]] bool are_interrupts_enabled() noexcept;

/// Leaves the note. Async-signal-safe; on the main thread only.
void note_interrupt() noexcept;
/// Does what Ctrl-C does, from any thread: sends SIGINT to the main thread. Returns false, without
/// effect, when interrupts are not enabled.
bool request_interrupt() noexcept;
/// In a child of fork(): forgets what was on its way to the parent's main thread.
void forget_interrupts_after_fork() noexcept;
/// True when there is a note and this is the main thread.
[[nodiscard]] bool is_interrupt_pending() noexcept;

/// Takes the note away, and returns whether there was one. On the main thread only.
[[nodiscard]] bool take_interrupt() noexcept;
/// Takes the note away and throws weft::KeyboardInterrupt.
[[noreturn]] void throw_keyboard_interrupt();

/// A sleep that Ctrl-C may end: on the main thread, while interrupts are enabled, it makes itself
/// known to the handler. Anywhere else, and where it is not wanted, it does nothing.
class InterruptibleSleep {
public:
    /// A sleep on `word`, poked by Waiter::poke.
    InterruptibleSleep(FutexWord& word, bool is_wanted) noexcept;
    /// A sleep of another kind: `poke(subject)` makes it look at the note; it is called in a signal
    /// handler.
    InterruptibleSleep(void (*poke)(void*), void* subject, bool is_wanted) noexcept;
    ~InterruptibleSleep();
    InterruptibleSleep(const InterruptibleSleep&) = delete;
    InterruptibleSleep& operator=(const InterruptibleSleep&) = delete;

    /// True when an interrupt has arrived that nobody has thrown yet.
    [[nodiscard]] bool is_requested() const noexcept;

private:
    bool is_armed_;
};

}  // namespace weft::detail
