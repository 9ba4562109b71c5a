#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

// Pickles put together by hand: opcodes in the notation of Python's pickletools.

namespace wires {

inline const std::string kStart = "\x80\x04";

/// LONG_BINGET: what was put into the memo under a number.
inline std::string get(std::size_t number) {
    std::string code = "j";
    for (int i = 0; i < 4; ++i) code += static_cast<char>((number >> (8 * i)) & 0xff);
    return code;
}

/// A str of any length, as BINUNICODE.
inline std::string text(const std::string& letters) {
    std::string code = "X";
    for (int i = 0; i < 4; ++i) code += static_cast<char>((letters.size() >> (8 * i)) & 0xff);
    return code + letters;
}

inline std::string repeated(const std::string& code, std::size_t times) {
    std::string result;
    result.reserve(code.size() * times);
    for (std::size_t i = 0; i < times; ++i) result += code;
    return result;
}

/// The class `m.C`, MEMOIZEd.
inline const std::string kClass =
    "\x8c\x01m\x8c\x01"
    "C\x93\x94";

}  // namespace wires
