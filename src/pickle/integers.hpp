#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

// Integers of any size as little-endian two's complement, as pickles hold them. No bytes are zero.

namespace weft::pickle::detail {

/// Without the bytes that only repeat the sign.
std::string_view shortest(std::string_view little_endian) noexcept;

/// The bytes of a number, and how many of them are needed.
std::pair<std::array<char, 8>, std::size_t> little_endian_of(std::int64_t value) noexcept;

/// The number, if it has 64 bits.
std::optional<std::int64_t> as_int64(std::string_view little_endian) noexcept;
std::optional<std::uint64_t> as_uint64(std::string_view little_endian) noexcept;

/// The nearest number, infinite when it is out of range.
double as_double(std::string_view little_endian);

/// The bytes of a whole number.
std::string little_endian_of_whole(double value);

/// Decimal digits; hexadecimal ones, after 0x, for numbers of more than 4000 bytes.
std::string digits_of(std::string_view little_endian);

/// The bytes of decimal digits with an optional sign; nothing if there is anything else. Quadratic:
/// the caller bounds the number of digits.
std::optional<std::string> parse_digits(std::string_view digits);

}  // namespace weft::pickle::detail
