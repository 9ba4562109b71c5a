#pragma once

#include <cstdint>

namespace weft::os {

/// True when the C library lets one thread at a time into exit(), and holds every other one back
/// inside of it for ever (glibc from 2.41 on).
[[nodiscard]] bool is_exit_exclusive() noexcept;

/// True when the thread with that number of the kernel sleeps until the calling thread gives back a
/// lock of the C library, as the one of exit(). False also when the system does not tell.
[[nodiscard]] bool waits_for_lock_of_this_thread(std::uint64_t native_id) noexcept;

}  // namespace weft::os
