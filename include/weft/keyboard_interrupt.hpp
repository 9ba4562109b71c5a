#pragma once

#include <weft/detail/config.hpp>

namespace weft {

/// As long as it lives, Ctrl-C (SIGINT) makes the main thread's waits throw
/// weft::KeyboardInterrupt, as in Python. Without it, Weft installs no signal handler and Ctrl-C
/// does what the program says.
///
///     int main() {
///         weft::KeyboardInterruptGuard ctrl_c;
///         try { serve(); } catch (const weft::KeyboardInterrupt&) { tidy_up(); }
///     }
///
/// Every wait of Weft on the main thread throws it: one that sleeps when Ctrl-C comes, and the next
/// one that would sleep if none does. What the wait was for has then not been taken. Other threads'
/// waits go on. A second Ctrl-C that comes before the first one was thrown adds nothing.
///
/// One can exist at a time, on the main thread. The handler that was there before is put back at
/// the end, and gets a Ctrl-C that has come and that nothing has thrown: by default it ends the
/// program, as it would have a moment later. (Python throws it before it changes the handler, which
/// a destructor cannot.)
class WEFT_API KeyboardInterruptGuard {
public:
    /// Throws `std::runtime_error` on any thread but the main one, and when another guard lives;
    /// `std::system_error` when the system refuses the handler.
    KeyboardInterruptGuard();
    ~KeyboardInterruptGuard();
    KeyboardInterruptGuard(const KeyboardInterruptGuard&) = delete;
    KeyboardInterruptGuard& operator=(const KeyboardInterruptGuard&) = delete;

    /// Throws weft::KeyboardInterrupt if Ctrl-C has come and nothing has thrown it yet; for long
    /// work without waits. Never blocks.
    void check() const;
};

}  // namespace weft
