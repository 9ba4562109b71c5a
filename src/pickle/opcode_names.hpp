#pragma once

#include <string_view>

namespace weft::pickle::detail {

/// Python's name of an opcode, empty for a byte that is none.
std::string_view opcode_name(unsigned char code) noexcept;

}  // namespace weft::pickle::detail
