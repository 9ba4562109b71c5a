#pragma once

#include <cstddef>

#include <weft/detail/deadline.hpp>

namespace weft::detail {

// What ManualClock does to Weft's clock. Weft's time is the system's monotonic time plus an offset,
// or stands still while a manual clock is installed. It never jumps: a manual clock starts at the
// time it finds, and when it is removed the offset makes the running time continue from there.

/// True while it stands.
bool is_clock_frozen() noexcept;
/// Stops Weft's clock. Returns false when it already stands.
bool freeze_clock() noexcept;
/// Lets it run again.
void thaw_clock() noexcept;
/// In a child of fork(): undoes a freeze that another thread of the parent had begun.
void restart_clock_after_fork() noexcept;
/// Moves the frozen clock on by `step` >= 0, and wakes every sleep that is due. Returns false,
/// without effect, when it would pass the end of what a clock can count.
[[nodiscard]] bool advance_clock(Nanoseconds step) noexcept;
/// How many sleeps with a deadline are not yet due.
std::size_t count_timed_sleepers() noexcept;
/// Blocks until at least `count` sleeps with a deadline are not yet due. Returns false, also in the
/// middle of the wait, when the clock runs.
bool wait_for_timed_sleepers(std::size_t count) noexcept;

}  // namespace weft::detail
