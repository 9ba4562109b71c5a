#pragma once

#include <span>

#include <weft/detail/wait_list.hpp>

#include "os/posix/poll.hpp"

namespace weft::detail {

/// Blocks until one of the descriptors is ready, as WaitList::wait does until something can be
/// taken: at most until the deadline on Weft's clock (with a deadline that has passed, it only
/// looks), until the stop token is triggered, or until Ctrl-C on the main thread. An ended peer is
/// ready. A signal does not shorten the wait.
///
/// Returns `notified` when some are ready, which are then marked, also if a limit came at the same
/// time. Keeps nothing and changes no descriptor. Throws `std::system_error`: EBADF for one that is
/// not open, EMFILE, ENFILE or ENOMEM when the thread's first wait finds the system short of
/// descriptors; `std::bad_alloc`.
WaitEnd wait_for_descriptors(std::span<os::Watched> watched, const WaitLimits& limits);

}  // namespace weft::detail
