#pragma once

#include <stop_token>

#include <weft/detail/annotations.hpp>
#include <weft/detail/deadline.hpp>
#include <weft/detail/wait_list.hpp>
#include <weft/threading/lock.hpp>
#include <weft/timeout.hpp>

#include "detail/interruption.hpp"

namespace weft::subprocess {

/// What may end a call, from its arguments, which must outlive it; `stop` may be null.
[[nodiscard]] inline weft::detail::WaitLimits limits_of(Timeout timeout,
                                                        const std::stop_token* stop = nullptr) {
    return {.deadline = weft::detail::Deadline::after(timeout), .stop = stop};
}

/// Whether Ctrl-C is to end this call: for loops whose waits end before they look at it, because
/// something is always ready.
[[nodiscard]] inline bool is_interrupted(const weft::detail::WaitLimits& limits) {
    return limits.is_interruptible && weft::detail::is_interrupt_pending();
}

/// What is left of a limit, for a call that takes a Timeout; never negative.
[[nodiscard]] inline Timeout left_of(weft::detail::Deadline deadline) {
    if (deadline.is_never()) return {};
    if (deadline.has_passed()) return Timeout(0);
    return Timeout(std::chrono::nanoseconds(deadline.when() - weft::detail::now()));
}

/// Takes a lock, within the limits. False when the time is up; throws weft::Cancelled and
/// weft::KeyboardInterrupt.
[[nodiscard]] inline bool acquire_within(
    threading::Lock& lock, const weft::detail::WaitLimits& limits) WEFT_NO_THREAD_SAFETY_ANALYSIS {
    return limits.stop != nullptr ? lock.acquire(*limits.stop, left_of(limits.deadline))
                                  : lock.acquire(true, left_of(limits.deadline));
}

/// For messages.
[[nodiscard]] inline double seconds_of(Timeout timeout) {
    return std::chrono::duration<double>(timeout.length()).count();
}

}  // namespace weft::subprocess
