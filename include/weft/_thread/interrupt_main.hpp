#pragma once

#include <csignal>

#include <weft/detail/config.hpp>

namespace weft::_thread {

/// Has the program's handler of a signal run on the main thread, soon; called on the main thread,
/// before it returns unless that thread holds the signal back. Nothing happens when the signal is
/// ignored, or has no handler but the system's default. (A handler that another thread takes away
/// during the call may be gone when the signal arrives, which then does what the system does by
/// default: it may end the program. So does the end of a KeyboardInterruptGuard for SIGINT.)
///
/// For SIGINT that is what Ctrl-C does while a weft::KeyboardInterruptGuard lives: the main
/// thread's wait throws weft::KeyboardInterrupt. Throws `std::invalid_argument` for a number that
/// is not a signal's. Never blocks; any thread may call it.
///
/// Unlike Python, the signal is really sent, to that thread alone: system calls of its own may
/// return EINTR.
WEFT_API void interrupt_main(int signum = SIGINT);

}  // namespace weft::_thread
