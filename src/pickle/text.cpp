#include <weft/pickle/detail/text.hpp>

#include <cstdint>

namespace weft::pickle::detail {

namespace {

unsigned byte_at(std::string_view text, std::size_t place) noexcept {
    return place < text.size() ? static_cast<unsigned char>(text[place]) : 0;
}

bool continues(unsigned byte) noexcept {
    return (byte & 0xc0) == 0x80;
}

/// How long the character at `place` is in UTF-8, or 0 when there is none. Surrogates count as
/// characters of three bytes.
std::size_t length_at(std::string_view text, std::size_t place) noexcept {
    const unsigned first = byte_at(text, place);
    const unsigned second = byte_at(text, place + 1);
    if (first < 0x80) return 1;
    if (first < 0xc2 || !continues(second)) return 0;
    if (first < 0xe0) return 2;
    if (!continues(byte_at(text, place + 2))) return 0;
    if (first < 0xf0) return first == 0xe0 && second < 0xa0 ? 0 : 3;
    if (first > 0xf4 || !continues(byte_at(text, place + 3))) return 0;
    if ((first == 0xf0 && second < 0x90) || (first == 0xf4 && second > 0x8f)) return 0;
    return 4;
}

bool is_surrogate_at(std::string_view text, std::size_t place) noexcept {
    return byte_at(text, place) == 0xed && byte_at(text, place + 1) >= 0xa0;
}

/// Where the next byte with its highest bit set lies, or the end.
std::size_t skip_ascii(std::string_view text, std::size_t place) noexcept {
    for (; place + 8 <= text.size(); place += 8) {
        std::uint64_t word;
        std::memcpy(&word, text.data() + place, 8);
        if ((word & 0x8080808080808080) != 0) break;
    }
    while (place < text.size() && byte_at(text, place) < 0x80) ++place;
    return place;
}

template <bool WithSurrogates>
bool is_valid(std::string_view text) noexcept {
    for (std::size_t place = skip_ascii(text, 0); place < text.size();) {
        const std::size_t length = length_at(text, place);
        if (length == 0 || (!WithSurrogates && is_surrogate_at(text, place))) return false;
        place += length;
        if (length == 1) place = skip_ascii(text, place);
    }
    return true;
}

}  // namespace

bool is_wire_text(std::string_view text) noexcept {
    return is_valid<true>(text);
}

bool is_utf8(std::string_view text) noexcept {
    return is_valid<false>(text);
}

std::string escape(std::string_view text) {
    std::string result;
    result.reserve(text.size() + text.size() / 2);
    for (std::size_t place = 0; place < text.size();) {
        const std::size_t length = is_surrogate_at(text, place) ? 0 : length_at(text, place);
        if (length > 0) {
            result.append(text.substr(place, length));
            place += length;
            continue;
        }
        // U+DC00 and the byte, in UTF-8.
        const unsigned byte = byte_at(text, place++);
        result.push_back('\xed');
        result.push_back(static_cast<char>(0xb0 | (byte >> 6)));
        result.push_back(static_cast<char>(0x80 | (byte & 0x3f)));
    }
    return result;
}

void unescape(std::string& result, std::string_view wire) {
    result.clear();
    result.reserve(wire.size());
    std::size_t copied = 0;
    for (std::size_t place = 0; (place = wire.find('\xed', place)) != std::string_view::npos;) {
        const unsigned second = byte_at(wire, place + 1);
        const unsigned byte = ((second & 3) << 6) | (byte_at(wire, place + 2) & 0x3f);
        if ((second == 0xb2 || second == 0xb3) && byte >= 0x80) {
            result.append(wire.substr(copied, place - copied));
            result.push_back(static_cast<char>(byte));
            copied = place + 3;
        }
        place += 3;
    }
    result.append(wire.substr(copied));
}

}  // namespace weft::pickle::detail
