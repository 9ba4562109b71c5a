#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "os/text_converter.hpp"

namespace weft::subprocess {

// Text mode: what a child writes becomes UTF-8 with "\n" at the ends of lines, and UTF-8 becomes
// what it reads. Python's error policies, on top of the system's converter; UTF-8 itself does not
// pass through that.

enum class ErrorPolicy : std::uint8_t {
    strict,
    ignore,
    replace,
    backslashreplace,
    surrogateescape,
    xmlcharrefreplace,
};

/// An encoding and what is done with what does not fit.
struct TextFormat {
    std::string name = "utf-8";    ///< as given, for messages
    std::string system_name = {};  ///< the converter's; empty for UTF-8
    bool has_signature = false;    ///< UTF-8 with a mark at the beginning (utf-8-sig)
    std::size_t unit = 1;          ///< bytes of the smallest piece that can be wrong
    ErrorPolicy policy = ErrorPolicy::strict;
};

/// Finds an encoding and a policy by Python's names; empty ones mean UTF-8 and "strict". Throws
/// weft::LookupError.
[[nodiscard]] TextFormat find_text_format(const std::string& encoding, const std::string& errors);

/// Decodes piece by piece: a character, or an end of line, may be cut between two pieces.
class Decoder {
public:
    explicit Decoder(TextFormat format);

    /// Appends the text of `bytes` to `out`. With `is_final`, what is incomplete is an error.
    /// Throws `std::invalid_argument` under the policy "strict", having appended what came before;
    /// what comes after the bad bytes is kept for the next call.
    void decode(std::string_view bytes, std::string& out, bool is_final);
    /// The same for a whole text, without copying one that needs no change.
    /// Takes the bytes only if that succeeds.
    [[nodiscard]] std::string decode_all(std::string& bytes);
    /// What was given and is not in any output yet, as bytes.
    [[nodiscard]] std::string undecoded() const { return (has_return_ ? "\r" : "") + carry_; }

private:
    // `bytes` shrinks to what has not been dealt with.
    void decode_utf8(std::string_view& bytes, std::string& out, bool is_final);
    void decode_other(std::string_view& bytes, std::string& out, bool is_final);
    void skip_bad(std::string_view& bytes, std::size_t size, const char* reason, std::string& out);
    void handle_bad(std::string_view bad, const char* reason, std::string& out);
    void translate_newlines(std::string& out, std::size_t from, bool is_final);

    TextFormat format_;
    std::optional<os::TextConverter> converter_;  ///< none for UTF-8
    std::string carry_;                           ///< the beginning of a character
    std::size_t position_ = 0;                    ///< how many bytes came before `carry_`
    bool is_at_start_ = true;
    bool has_return_ = false;  ///< the last character was "\r", and is not yet in the output
};

/// Encodes piece by piece, each of which must end with a whole character.
class Encoder {
public:
    explicit Encoder(TextFormat format);

    /// Appends the child's form of `text` to `out`. Throws `std::invalid_argument` under the policy
    /// "strict", and then has appended nothing.
    void encode(std::string_view text, std::string& out);

private:
    void encode_valid(std::string_view text, std::string& out, std::size_t position);
    void handle_unknown(std::uint32_t code_point, std::string& out, std::size_t position);
    void handle_invalid(std::string_view bad, std::string& out, std::size_t position);
    void append_ascii(std::string_view text, std::string& out);

    TextFormat format_;
    std::optional<os::TextConverter> converter_;
    bool is_at_start_ = true;
};

}  // namespace weft::subprocess
