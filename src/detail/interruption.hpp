#pragma once

#include <weft/detail/atomic.hpp>

namespace weft::detail {

/// A sleep that Ctrl-C may end: on the main thread, while a KeyboardInterruptGuard lives, it makes
/// its word known to the signal handler, which pokes it. Anywhere else, and where it is not
/// wanted, it does nothing.
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

/// Takes the pending interrupt and throws weft::KeyboardInterrupt.
[[noreturn]] void throw_keyboard_interrupt();

}  // namespace weft::detail
