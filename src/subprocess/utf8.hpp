#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace weft::subprocess {

/// How far a text is UTF-8.
struct Utf8Prefix {
    std::size_t valid = 0;       ///< the size of the longest beginning that is
    std::size_t bad = 0;         ///< how many bytes after it belong to one broken character
    bool is_incomplete = false;  ///< they could be completed by bytes that follow
};

/// Surrogates, overlong forms and what is above U+10FFFF are not UTF-8. A broken character is the
/// longest beginning of a sound one, or else one byte, as Unicode recommends and Python counts.
[[nodiscard]] Utf8Prefix scan_utf8(std::string_view text) noexcept;

/// The first character of a text that begins with a sound one.
struct CodePoint {
    std::uint32_t value = 0;
    std::size_t size = 0;
};
[[nodiscard]] CodePoint first_code_point(std::string_view text) noexcept;

/// Appends it in UTF-8's form, surrogates too.
void append_code_point(std::string& text, std::uint32_t value);

/// The beginning of a text that has at most so many characters. A byte that is no character counts
/// as one.
struct Characters {
    std::size_t size = 0;   ///< bytes
    std::size_t count = 0;  ///< fewer than asked for: that is the whole text
};
[[nodiscard]] Characters first_characters(std::string_view text, std::size_t count) noexcept;

}  // namespace weft::subprocess
