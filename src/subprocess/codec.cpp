#include "subprocess/codec.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <system_error>
#include <utility>

#include <weft/errors.hpp>

#include "detail/fmt.hpp"
#include "subprocess/utf8.hpp"

namespace weft::subprocess {

namespace {

constexpr std::string_view kSignature = "\xEF\xBB\xBF";
constexpr std::string_view kReplacement = "\xEF\xBF\xBD";
constexpr std::uint32_t kEscapes = 0xDC00;  // plus the byte, for surrogateescape

using Stop = os::TextConverter::Stop;

std::string normalized(std::string_view name) {
    std::string result(name);
    for (char& c : result) {
        if (c == '_' || c == ' ') c = '-';
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    return result;
}

struct Alias {
    std::string_view python;
    std::string_view system;  ///< empty: UTF-8
    std::size_t unit = 1;
};

// Where Python's names are not also the system's.
constexpr std::array kAliases = {
    Alias{"utf-8", ""},
    Alias{"utf8", ""},
    Alias{"u8", ""},
    Alias{"utf", ""},
    Alias{"cp65001", ""},
    Alias{"utf-8-sig", ""},
    Alias{"latin-1", "ISO-8859-1"},
    Alias{"latin1", "ISO-8859-1"},
    Alias{"latin", "ISO-8859-1"},
    Alias{"l1", "ISO-8859-1"},
    Alias{"8859", "ISO-8859-1"},
    Alias{"iso8859-1", "ISO-8859-1"},
    Alias{"646", "ASCII"},
    Alias{"ascii", "ASCII"},
    Alias{"us-ascii", "ASCII"},
    Alias{"utf-16", "UTF-16", 2},
    Alias{"utf16", "UTF-16", 2},
    Alias{"u16", "UTF-16", 2},
    Alias{"utf-16-le", "UTF-16LE", 2},
    Alias{"utf-16le", "UTF-16LE", 2},
    Alias{"utf-16-be", "UTF-16BE", 2},
    Alias{"utf-16be", "UTF-16BE", 2},
    Alias{"utf-32", "UTF-32", 4},
    Alias{"utf32", "UTF-32", 4},
    Alias{"u32", "UTF-32", 4},
    Alias{"utf-32-le", "UTF-32LE", 4},
    Alias{"utf-32le", "UTF-32LE", 4},
    Alias{"utf-32-be", "UTF-32BE", 4},
    Alias{"utf-32be", "UTF-32BE", 4},
    Alias{"shift-jis", "SHIFT_JIS"},
    Alias{"shiftjis", "SHIFT_JIS"},
    Alias{"sjis", "SHIFT_JIS"},
    Alias{"mac-roman", "MACINTOSH"},
    Alias{"windows-1252", "CP1252"},
};

bool is_known(const std::string& system_name) {
    return bool(os::TextConverter("UTF-8", system_name.c_str())) &&
           bool(os::TextConverter(system_name.c_str(), "UTF-8"));
}

/// The system's name of an encoding that has no alias: as given, in capitals, or with "8859-1" in
/// the place of Python's "iso8859-1".
std::string system_name_of(const std::string& given, const std::string& name) {
    std::string capitals = name;
    for (char& c : capitals) {
        if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    }
    std::string with_dash = capitals;
    if (with_dash.starts_with("ISO8859-")) with_dash.insert(with_dash.begin() + 3, '-');
    std::string without_dash = capitals;
    std::erase(without_dash, '-');
    std::string underscored = capitals;
    std::ranges::replace(underscored, '-', '_');
    for (const std::string& each : {given, capitals, with_dash, without_dash, underscored}) {
        // The converter's own options are no part of a name.
        if (!each.empty() && each.find('/') == std::string::npos && is_known(each)) return each;
    }
    throw LookupError(fmt::format("unknown encoding: {}", given));
}

ErrorPolicy find_policy(const std::string& name) {
    if (name.empty() || name == "strict") return ErrorPolicy::strict;
    if (name == "ignore") return ErrorPolicy::ignore;
    if (name == "replace") return ErrorPolicy::replace;
    if (name == "backslashreplace") return ErrorPolicy::backslashreplace;
    if (name == "surrogateescape") return ErrorPolicy::surrogateescape;
    if (name == "xmlcharrefreplace") return ErrorPolicy::xmlcharrefreplace;
    throw LookupError(fmt::format(
        "unknown error handler name '{}': there are strict, ignore, replace, backslashreplace, "
        "surrogateescape and xmlcharrefreplace",
        name));
}

std::optional<os::TextConverter> converter(const char* to, const char* from, bool is_needed) {
    if (!is_needed) return std::nullopt;
    os::TextConverter result(to, from);
    if (!result) {
        // The encoding is known, as was found before: the system is short of something.
        throw std::system_error(errno, std::generic_category(),
                                fmt::format("iconv_open: '{}' to '{}'", from, to));
    }
    return result;
}

/// The byte that stands at the beginning of the text in the form that surrogateescape gives it
/// outside of UTF-8: three bytes, of which the first is 0xED.
std::optional<char> escaped_byte(std::string_view text) {
    if (text.size() < 3 || text[0] != '\xED') return std::nullopt;
    const auto second = static_cast<unsigned char>(text[1]);
    const auto third = static_cast<unsigned char>(text[2]);
    if ((second != 0xB2 && second != 0xB3) || (third & 0xC0U) != 0x80) return std::nullopt;
    return static_cast<char>((second & 0x03U) << 6U | (third & 0x3FU));
}

std::string escaped(std::uint32_t code_point) {
    if (code_point < 0x100) return fmt::format("\\x{:02x}", code_point);
    if (code_point < 0x10000) return fmt::format("\\u{:04x}", code_point);
    return fmt::format("\\U{:08x}", code_point);
}

}  // namespace

TextFormat find_text_format(const std::string& encoding, const std::string& errors) {
    TextFormat format;
    format.policy = find_policy(errors);
    if (encoding.empty()) return format;
    format.name = encoding;
    const std::string name = normalized(encoding);
    format.has_signature = name == "utf-8-sig";
    const auto alias = std::ranges::find(kAliases, name, &Alias::python);
    if (alias != kAliases.end()) {
        format.system_name = alias->system;
        format.unit = alias->unit;
    } else {
        format.system_name = system_name_of(encoding, name);
    }
    return format;
}

// Decoder
// ------------------------------------------------------------------------------------------

Decoder::Decoder(TextFormat format)
    : format_(std::move(format)),
      converter_(converter("UTF-8", format_.system_name.c_str(), !format_.system_name.empty())) {}

void Decoder::decode(std::string_view bytes, std::string& out, bool is_final) {
    const std::size_t from = out.size();
    std::string joined;
    if (!carry_.empty()) {
        joined = std::exchange(carry_, {});
        joined += bytes;
        bytes = joined;
    }
    try {
        if (converter_) {
            decode_other(bytes, out, is_final);
        } else {
            decode_utf8(bytes, out, is_final);
        }
    } catch (...) {
        carry_ = bytes;
        translate_newlines(out, from, true);
        throw;
    }
    translate_newlines(out, from, is_final);
}

std::string Decoder::decode_all(std::string& bytes) {
    const bool is_plain = !converter_ && !format_.has_signature && carry_.empty() && !has_return_;
    if (is_plain && std::memchr(bytes.data(), '\r', bytes.size()) == nullptr &&
        scan_utf8(bytes).valid == bytes.size()) {
        return std::exchange(bytes, {});
    }
    std::string text;
    text.reserve(bytes.size());
    decode(bytes, text, true);
    bytes = {};
    return text;
}

void Decoder::decode_utf8(std::string_view& bytes, std::string& out, bool is_final) {
    if (format_.has_signature && is_at_start_) {
        const bool could_be = kSignature.starts_with(bytes.substr(0, kSignature.size()));
        if (could_be && bytes.size() < kSignature.size() && !is_final) {
            carry_ = bytes;
            return;
        }
        if (bytes.starts_with(kSignature)) {
            is_at_start_ = false;  // a second one is text
            bytes.remove_prefix(kSignature.size());
            position_ += kSignature.size();
        }
    }
    if (!bytes.empty()) is_at_start_ = false;
    while (!bytes.empty()) {
        const Utf8Prefix prefix = scan_utf8(bytes);
        out += bytes.substr(0, prefix.valid);
        position_ += prefix.valid;
        bytes.remove_prefix(prefix.valid);
        if (prefix.bad == 0) return;
        if (prefix.is_incomplete && !is_final) {
            carry_ = bytes;
            return;
        }
        const bool can_start = scan_utf8(bytes.substr(0, 1)).is_incomplete;
        const char* reason = prefix.is_incomplete ? "unexpected end of data"
                             : can_start          ? "invalid continuation byte"
                                                  : "invalid start byte";
        skip_bad(bytes, prefix.bad, reason, out);
    }
}

void Decoder::decode_other(std::string_view& bytes, std::string& out, bool is_final) {
    while (!bytes.empty()) {
        const os::TextConverter::Result result = converter_->convert(bytes, out);
        position_ += result.consumed;
        bytes.remove_prefix(result.consumed);
        if (result.stop == Stop::end) break;
        if (result.stop == Stop::incomplete && !is_final) {
            carry_ = bytes;
            return;
        }
        const bool is_cut = result.stop == Stop::incomplete;
        skip_bad(bytes, is_cut ? bytes.size() : std::min(bytes.size(), format_.unit),
                 is_cut ? "unexpected end of data" : "illegal multibyte sequence", out);
    }
    if (is_final) converter_->finish(out);
}

void Decoder::skip_bad(std::string_view& bytes, std::size_t size, const char* reason,
                       std::string& out) {
    const std::string_view bad = bytes.substr(0, size);
    bytes.remove_prefix(size);
    try {
        handle_bad(bad, reason, out);
    } catch (...) {
        position_ += size;
        throw;
    }
    position_ += size;
}

void Decoder::handle_bad(std::string_view bad, const char* reason, std::string& out) {
    switch (format_.policy) {
        case ErrorPolicy::ignore:
            return;
        case ErrorPolicy::replace:
            out += kReplacement;
            return;
        case ErrorPolicy::backslashreplace:
            for (const char c : bad) out += escaped(static_cast<unsigned char>(c));
            return;
        case ErrorPolicy::surrogateescape:
            // In UTF-8 the byte itself is told from all text. Elsewhere it could be part of some,
            // so that it takes the form that Python gives it.
            for (const char c : bad) {
                const auto byte = static_cast<unsigned char>(c);
                if (!converter_ || byte < 0x80) {
                    out += c;
                } else {
                    append_code_point(out, kEscapes + byte);
                }
            }
            return;
        case ErrorPolicy::strict:
        case ErrorPolicy::xmlcharrefreplace:
            break;
    }
    throw std::invalid_argument(
        fmt::format("'{}' codec can't decode byte 0x{:02x} in position {}: {}", format_.name,
                    static_cast<unsigned char>(bad[0]), position_, reason));
}

void Decoder::translate_newlines(std::string& out, std::size_t from, bool is_final) {
    if (has_return_ && (out.size() > from || is_final)) {
        has_return_ = false;
        if (out.size() == from || out[from] != '\n') out.insert(from, 1, '\n');
    }
    const char* const begin = out.data();
    const void* const first = std::memchr(begin + from, '\r', out.size() - from);
    if (first == nullptr) return;
    std::size_t to = static_cast<std::size_t>(static_cast<const char*>(first) - begin);
    for (std::size_t at = to; at < out.size(); ++at) {
        if (out[at] != '\r') {
            out[to++] = out[at];
        } else if (at + 1 == out.size() && !is_final) {
            has_return_ = true;
        } else if (at + 1 == out.size() || out[at + 1] != '\n') {
            out[to++] = '\n';
        }
    }
    out.resize(to);
}

// Encoder
// ------------------------------------------------------------------------------------------

Encoder::Encoder(TextFormat format)
    : format_(std::move(format)),
      converter_(converter(format_.system_name.c_str(), "UTF-8", !format_.system_name.empty())) {}

void Encoder::encode(std::string_view text, std::string& out) {
    const std::size_t size_before = out.size();
    const bool was_at_start = is_at_start_;
    try {
        if (is_at_start_ && !text.empty()) {
            is_at_start_ = false;
            if (format_.has_signature) out += kSignature;
        }
        std::size_t position = 0;
        while (position < text.size()) {
            const Utf8Prefix prefix = scan_utf8(text.substr(position));
            encode_valid(text.substr(position, prefix.valid), out, position);
            position += prefix.valid;
            if (prefix.bad == 0) break;
            const std::optional<char> byte = escaped_byte(text.substr(position));
            if (converter_ && byte && format_.policy == ErrorPolicy::surrogateescape) {
                out += *byte;
                position += 3;
                continue;
            }
            handle_invalid(text.substr(position, prefix.bad), out, position);
            position += prefix.bad;
        }
    } catch (...) {
        out.resize(size_before);
        is_at_start_ = was_at_start;
        throw;
    }
}

void Encoder::encode_valid(std::string_view text, std::string& out, std::size_t position) {
    if (!converter_) {
        out += text;
        return;
    }
    while (!text.empty()) {
        const os::TextConverter::Result result = converter_->convert(text, out);
        text.remove_prefix(result.consumed);
        position += result.consumed;
        if (text.empty()) return;
        const CodePoint unknown = first_code_point(text);
        handle_unknown(unknown.value, out, position);
        text.remove_prefix(unknown.size);
        position += unknown.size;
    }
}

void Encoder::handle_unknown(std::uint32_t code_point, std::string& out, std::size_t position) {
    switch (format_.policy) {
        case ErrorPolicy::ignore:
            return;
        case ErrorPolicy::replace:
            append_ascii("?", out);
            return;
        case ErrorPolicy::backslashreplace:
            append_ascii(escaped(code_point), out);
            return;
        case ErrorPolicy::xmlcharrefreplace:
            append_ascii(fmt::format("&#{};", code_point), out);
            return;
        case ErrorPolicy::strict:
        case ErrorPolicy::surrogateescape:
            break;
    }
    throw std::invalid_argument(fmt::format("'{}' codec can't encode character '{}' in position {}",
                                            format_.name, escaped(code_point), position));
}

void Encoder::handle_invalid(std::string_view bad, std::string& out, std::size_t position) {
    switch (format_.policy) {
        case ErrorPolicy::ignore:
            return;
        case ErrorPolicy::replace:
            append_ascii("?", out);
            return;
        case ErrorPolicy::backslashreplace:
        case ErrorPolicy::xmlcharrefreplace:
            for (const char c : bad) append_ascii(escaped(static_cast<unsigned char>(c)), out);
            return;
        case ErrorPolicy::surrogateescape:
            out += bad;
            return;
        case ErrorPolicy::strict:
            break;
    }
    throw std::invalid_argument(
        fmt::format("the text to be encoded is not UTF-8: byte 0x{:02x} in position {}",
                    static_cast<unsigned char>(bad[0]), position));
}

void Encoder::append_ascii(std::string_view text, std::string& out) {
    if (converter_) {
        (void)converter_->convert(text, out);
    } else {
        out += text;
    }
}

}  // namespace weft::subprocess
