#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace weft::os {

/// Converts text between two encodings, piece by piece; keeps the state that some encodings have.
class TextConverter {
public:
    /// Encodings by the system's names. False in a condition when the system does not know them or
    /// is short of something, as errno tells.
    TextConverter(const char* to, const char* from) noexcept;
    ~TextConverter();
    TextConverter(TextConverter&& other) noexcept;
    TextConverter& operator=(TextConverter&& other) noexcept;
    TextConverter(const TextConverter&) = delete;
    TextConverter& operator=(const TextConverter&) = delete;

    explicit operator bool() const noexcept { return handle_ != nullptr; }

    enum class Stop {
        end,         ///< all was converted
        incomplete,  ///< what is left is the beginning of a character
        invalid,     ///< what is left begins with what is no character, or has no place in `to`
    };
    struct Result {
        std::size_t consumed = 0;
        Stop stop = Stop::end;
    };

    /// Appends what can be converted to `out`. Throws `std::bad_alloc`.
    Result convert(std::string_view text, std::string& out);
    /// Appends what ends the text in an encoding with states, and begins anew.
    void finish(std::string& out);

private:
    void* handle_;  ///< null: none
};

}  // namespace weft::os
