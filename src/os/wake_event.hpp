#pragma once

namespace weft::os {

/// A descriptor that becomes readable when it is signalled, and stays so until it is cleared.
/// Closed in programs that this one executes; a child of fork() shares it with its parent.
using WakeEvent = int;

/// Stands for none: signalling, clearing and closing it do nothing.
inline constexpr WakeEvent kNoWakeEvent = -1;

/// Throws `std::system_error` when no descriptor is to be had.
[[nodiscard]] WakeEvent create_wake_event();
/// Never blocks. Async-signal-safe; leaves errno alone.
void signal_wake_event(WakeEvent event) noexcept;
/// Never blocks.
void clear_wake_event(WakeEvent event) noexcept;
void close_wake_event(WakeEvent event) noexcept;

}  // namespace weft::os
