#pragma once

#include <cstdint>

namespace weft::os {

/// The CPU that the calling thread runs on, or -1 where the system does not say.
int current_cpu() noexcept;

/// How many CPUs this process may use, by affinity; at least 1. Read once, and again after fork.
int usable_cpus() noexcept;
void forget_usable_cpus() noexcept;

/// Tells the processor that this is a spin loop.
void pause() noexcept;

/// Asks the processor to fetch what lies there, which may be nothing.
inline void prefetch(const void* address) noexcept { __builtin_prefetch(address); }

/// Lets another runnable thread have this CPU.
void yield() noexcept;

/// The system's monotonic clock, in nanoseconds.
std::int64_t monotonic_now() noexcept;

}  // namespace weft::os
