#pragma once

#include <cstdint>

#include <weft/detail/atomic.hpp>

namespace weft::os {

/// Whether a futex word is seen by this process alone or lies in memory that several share.
enum class FutexScope { one_process, shared };

/// Sleeps while `word` holds `expected`, at most until `deadline` (nanoseconds on the system's
/// monotonic clock; kNoDeadline for none). Returns for any reason: the caller looks again. A word
/// that already differs, a signal and a spurious wake-up all return at once.
void futex_wait(detail::FutexWord& word, std::uint32_t expected, std::int64_t deadline,
                FutexScope scope = FutexScope::one_process) noexcept;

inline constexpr std::int64_t kNoDeadline = INT64_MAX;

/// Wakes up to `most` threads that sleep on `word`. The word's memory is not accessed, so it may
/// already be gone.
void futex_wake(detail::FutexWord& word, int most,
                FutexScope scope = FutexScope::one_process) noexcept;

}  // namespace weft::os
