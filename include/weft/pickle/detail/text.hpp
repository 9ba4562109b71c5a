#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include <weft/detail/config.hpp>

// How a std::string becomes a str and comes back. A str travels as UTF-8. Bytes of a std::string
// that are no UTF-8 become Python's surrogate escapes (U+DC80 to U+DCFF, "surrogateescape"), and
// escapes become those bytes again, so every std::string comes back as it was.

namespace weft::pickle::detail {

/// Whether no byte has its highest bit set.
inline bool is_ascii(std::string_view text) noexcept {
    const char* at = text.data();
    std::size_t left = text.size();
    constexpr std::uint64_t kHighBits = 0x8080808080808080;
    std::uint64_t word = 0;
    if (left >= 8) {
        std::uint64_t seen = 0;
        for (; left > 8; left -= 8, at += 8) {
            std::memcpy(&word, at, 8);
            seen |= word;
        }
        std::memcpy(&word, at + left - 8, 8);  // overlaps what was seen before
        return ((seen | word) & kHighBits) == 0;
    }
    unsigned seen = 0;
    for (; left > 0; --left, ++at) seen |= static_cast<unsigned char>(*at);
    return seen < 0x80;
}

/// UTF-8 as Python's str may be written: with surrogates, each as three bytes.
WEFT_API bool is_wire_text(std::string_view text) noexcept;

/// Whether text is UTF-8 in the strict sense: it travels as it is.
WEFT_API bool is_utf8(std::string_view text) noexcept;

/// Any bytes as a str's UTF-8.
WEFT_API std::string escape(std::string_view text);

/// The bytes that a str stands for. Surrogates that are no escapes stay the three bytes they are.
WEFT_API void unescape(std::string& result, std::string_view wire);

/// Takes over what came from the wire; false if it is not a str's UTF-8.
inline bool decode_text(std::string& result, std::string_view wire) {
    if (is_ascii(wire)) [[likely]] {
        result.assign(wire);
        return true;
    }
    if (!is_wire_text(wire)) return false;
    unescape(result, wire);
    return true;
}

}  // namespace weft::pickle::detail
