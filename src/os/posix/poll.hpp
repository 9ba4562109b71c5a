#pragma once

#include <cstdint>
#include <span>

namespace weft::os {

/// A descriptor that somebody waits for, and what for.
struct Watched {
    int fd = -1;
    bool for_input = true;    ///< until reading would not block: data, the end, or an error
    bool for_output = false;  ///< until writing would not block: room, or an error
    bool is_ready = false;    ///< set by the wait
};

/// What ended a poll().
struct PollResult {
    bool is_any_ready = false;  ///< at least one of the watched descriptors
    bool is_woken = false;      ///< the waker was readable
};

/// Sleeps until one of `watched` is ready or `waker` (a descriptor, or -1 for none) is readable, at
/// most until `deadline` (nanoseconds on the system's monotonic clock; os::kNoDeadline for none),
/// and tells which are ready. A signal also ends it, with nothing ready: the caller looks again.
///
/// Throws `std::system_error`: EBADF for a descriptor that is not open, EINVAL for more of them
/// than the process may have open, ENOMEM; `std::bad_alloc`.
PollResult poll_until(std::span<Watched> watched, int waker, std::int64_t deadline);

}  // namespace weft::os
