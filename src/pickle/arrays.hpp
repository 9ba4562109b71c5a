#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <weft/pickle/detail/item.hpp>

// array.array: numbers of one type in one piece.

namespace weft::pickle::detail {

/// How many bytes an item of an array.array has by its letter on this machine; 0 for a letter that
/// says nothing to us (u and w, which are characters, included).
std::size_t array_item_size(char letter) noexcept;

/// How many numbers an array has, and one of them.
std::size_t array_length(const Node& node) noexcept;
/// `scratch` holds the bytes of a number beyond 63 bits.
using Scratch = std::array<char, 9>;
Item array_item(const Node& node, std::size_t index, Scratch& scratch) noexcept;

/// The numbers of Python's machine format (the third argument of array._array_reconstructor) in
/// this machine's byte order, and the letter for their type here.
struct Rebuilt {
    char letter;
    bool is_swapped;  ///< `swapped` holds the bytes, otherwise they are as they came
    std::string swapped;
};
std::optional<Rebuilt> rebuild_array(char letter, std::int64_t format, std::string_view raw);

/// The byte sequence that represents a number in an array with this letter; nothing if it does not
/// fit.
std::optional<std::string> array_bytes(char letter, const Item& number);

}  // namespace weft::pickle::detail
