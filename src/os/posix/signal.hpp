#pragma once

namespace weft::os {

/// Installs `handler` for SIGINT, not to restart the system call that it interrupts, and remembers
/// what was there. Throws `std::system_error`.
void set_interrupt_handler(void (*handler)(int));
/// Puts back what set_interrupt_handler() found.
void restore_interrupt_handler() noexcept;

/// Sends SIGINT to the process's main thread. Async-signal-safe; leaves errno alone.
void interrupt_main_thread() noexcept;

/// Whether the system has a signal of this number.
[[nodiscard]] bool is_signal(int signum) noexcept;
/// Whether a function of the program's handles the signal: neither ignored nor the default.
[[nodiscard]] bool has_handler(int signum) noexcept;
/// Sends a signal to the process's main thread.
void send_to_main_thread(int signum) noexcept;

}  // namespace weft::os
