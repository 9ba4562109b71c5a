#pragma once

#include <cstddef>
#include <cstdint>

#include <weft/detail/config.hpp>

namespace weft::_thread {

/// The calling thread's identifier: not zero, and used again after the thread has ended. The thread
/// that forked has the same one in the child.
[[nodiscard]] WEFT_API std::uint64_t get_ident() noexcept;

/// The number that the kernel gave the calling thread, unique in the system while it lives.
[[nodiscard]] WEFT_API std::uint64_t get_native_id() noexcept;

/// The size, in bytes, of the stacks of threads that are started from now on; 0 stands for the
/// system's default and is what it begins with.
[[nodiscard]] WEFT_API std::size_t stack_size() noexcept;

/// Sets it, and returns the one before. 0 restores the system's default. Throws
/// `std::invalid_argument`, and changes nothing, for a size below 32 KiB and for one that the
/// system refuses.
WEFT_API std::size_t stack_size(std::size_t size);

}  // namespace weft::_thread
