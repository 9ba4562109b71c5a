#pragma once

#include <csignal>

namespace weft::test {

/// Makes `handler` run when `signal` arrives, on whatever the thread is doing. Unlike sigaction(),
/// the thread sanitizer does not put such a handler off until the thread makes a call that the
/// sanitizer knows, which a thread that hangs never does. The handler must not be instrumented
/// (WEFT_TEST_NO_SANITIZE) and may call async-signal-safe functions only.
void handle_at_once(int signal, void (*handler)(int));

/// What print_all_stacks() needs to have done before: loads the unwinder, which allocates memory,
/// and takes a signal.
void prepare_stacks();

/// Writes the stacks of all threads of this process to `fd`, one after the other. May be called in
/// a signal handler. A thread that does not answer within two seconds (it has blocked the signal)
/// is named without its stack.
void print_all_stacks(int fd) noexcept;

/// Writes a text to `fd`, completely if it can be; async-signal-safe.
void write_text(int fd, const char* text) noexcept;
void write_number(int fd, long number) noexcept;

}  // namespace weft::test

#if defined(__clang__)
#    define WEFT_TEST_NO_SANITIZE __attribute__((no_sanitize("thread", "address", "undefined")))
#else
#    define WEFT_TEST_NO_SANITIZE __attribute__((no_sanitize_thread, no_sanitize_address))
#endif
