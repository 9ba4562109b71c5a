#pragma once

#include <stop_token>

#include <weft/detail/deadline.hpp>
#include <weft/detail/wait_list.hpp>
#include <weft/timeout.hpp>

namespace weft::subprocess {

/// What may end a call, from its arguments, which must outlive it; `stop` may be null.
[[nodiscard]] inline weft::detail::WaitLimits limits_of(Timeout timeout,
                                                        const std::stop_token* stop = nullptr) {
    return {.deadline = weft::detail::Deadline::after(timeout), .stop = stop};
}

/// What is left of a limit, for a call that takes a Timeout; never negative.
[[nodiscard]] inline Timeout left_of(weft::detail::Deadline deadline) {
    if (deadline.is_never()) return {};
    if (deadline.has_passed()) return Timeout(0);
    return Timeout(std::chrono::nanoseconds(deadline.when() - weft::detail::now()));
}

/// For messages.
[[nodiscard]] inline double seconds_of(Timeout timeout) {
    return std::chrono::duration<double>(timeout.length()).count();
}

}  // namespace weft::subprocess
