#pragma once

#include <weft/detail/atomic.hpp>

namespace weft::detail {

// How Ctrl-C reaches a wait. The handler runs on the main thread (elsewhere it forwards the signal)
// and therefore between two instructions of it: it leaves a note, and pokes the word that the main
// thread is about to sleep on or sleeps on. Either the main thread sees the note before it asks the
// kernel to sleep, or the word has changed and the kernel refuses.

/// Makes interrupts end the main thread's sleeps, or no longer. Called on the main thread.
void enable_interrupts() noexcept;
void disable_interrupts() noexcept;
[[nodiscard]] bool are_interrupts_enabled() noexcept;

/// Leaves the note. Async-signal-safe; on the main thread only.
void note_interrupt() noexcept;
/// True when there is a note and this is the main thread.
[[nodiscard]] bool is_interrupt_pending() noexcept;

/// Takes the note away and throws weft::KeyboardInterrupt.
[[noreturn]] void throw_keyboard_interrupt();

/// A sleep that Ctrl-C may end: on the main thread, while interrupts are enabled, it makes its word
/// known to the handler. Anywhere else, and where it is not wanted, it does nothing.
class InterruptibleSleep {
public:
    InterruptibleSleep(FutexWord& word, bool is_wanted) noexcept;
    ~InterruptibleSleep();
    InterruptibleSleep(const InterruptibleSleep&) = delete;
    InterruptibleSleep& operator=(const InterruptibleSleep&) = delete;

    /// True when an interrupt has arrived that nobody has thrown yet.
    [[nodiscard]] bool is_requested() const noexcept;

private:
    bool is_armed_;
};

}  // namespace weft::detail
