#pragma once

#include <cstddef>

namespace weft::runtime {

/// The size of the stacks of threads that ask for none; 0 is the system's.
[[nodiscard]] std::size_t default_stack_size() noexcept;

/// Replaces it, and returns the one before. Throws as require_stack_size().
std::size_t set_default_stack_size(std::size_t size);

/// Throws `std::invalid_argument` for a size below 32 KiB and for one that the system refuses, and
/// `std::system_error` when it has no means to tell.
void require_stack_size(std::size_t size);

}  // namespace weft::runtime
