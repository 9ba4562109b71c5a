#pragma once

#include "support/faults.hpp"

// Between the loops in faults.cpp and the wrapped functions.

namespace weft::test::faults {

/// True when the allocation that is about to be made is to fail.
[[nodiscard]] bool is_allocation_to_fail() noexcept;

/// The errno with which the call is to fail, or 0.
[[nodiscard]] int error_of(std::string_view name) noexcept;

}  // namespace weft::test::faults
