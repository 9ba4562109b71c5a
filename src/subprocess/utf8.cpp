#include "subprocess/utf8.hpp"

#include <cstring>

namespace weft::subprocess {

namespace {

constexpr std::uint64_t kHighBits = 0x8080808080808080U;

unsigned byte_at(std::string_view text, std::size_t index) noexcept {
    return static_cast<unsigned char>(text[index]);
}

std::size_t skip_ascii(std::string_view text, std::size_t at) noexcept {
    while (at + sizeof(std::uint64_t) <= text.size()) {
        std::uint64_t word = 0;
        std::memcpy(&word, text.data() + at, sizeof word);
        if ((word & kHighBits) != 0) break;
        at += sizeof word;
    }
    while (at < text.size() && byte_at(text, at) < 0x80) ++at;
    return at;
}

/// How long a character is that begins with this byte, and what its second byte may be; a length of
/// zero when no character begins so.
struct Lead {
    std::size_t size;
    unsigned low;
    unsigned high;
};

Lead lead_of(unsigned byte) noexcept {
    if (byte < 0x80) return {1, 0, 0};
    if (byte < 0xC2) return {0, 0, 0};
    if (byte < 0xE0) return {2, 0x80, 0xBF};
    if (byte == 0xE0) return {3, 0xA0, 0xBF};
    if (byte == 0xED) return {3, 0x80, 0x9F};
    if (byte < 0xF0) return {3, 0x80, 0xBF};
    if (byte == 0xF0) return {4, 0x90, 0xBF};
    if (byte < 0xF4) return {4, 0x80, 0xBF};
    if (byte == 0xF4) return {4, 0x80, 0x8F};
    return {0, 0, 0};
}

}  // namespace

Utf8Prefix scan_utf8(std::string_view text) noexcept {
    std::size_t at = 0;
    for (;;) {
        at = skip_ascii(text, at);
        if (at == text.size()) return {.valid = at, .bad = 0, .is_incomplete = false};
        const Lead lead = lead_of(byte_at(text, at));
        if (lead.size == 0) return {.valid = at, .bad = 1, .is_incomplete = false};
        std::size_t good = 1;
        while (good < lead.size && at + good < text.size()) {
            const unsigned next = byte_at(text, at + good);
            const unsigned low = good == 1 ? lead.low : 0x80;
            const unsigned high = good == 1 ? lead.high : 0xBF;
            if (next < low || next > high) break;
            ++good;
        }
        if (good < lead.size) {
            return {.valid = at, .bad = good, .is_incomplete = at + good == text.size()};
        }
        at += good;
    }
}

CodePoint first_code_point(std::string_view text) noexcept {
    const unsigned first = byte_at(text, 0);
    const std::size_t size = lead_of(first).size;
    if (size <= 1) return {.value = first, .size = 1};
    std::uint32_t value = first & (0x7FU >> size);
    for (std::size_t i = 1; i < size; ++i) value = value << 6U | (byte_at(text, i) & 0x3FU);
    return {.value = value, .size = size};
}

void append_code_point(std::string& text, std::uint32_t value) {
    const auto put = [&text](std::uint32_t byte) { text += static_cast<char>(byte); };
    if (value < 0x80) {
        put(value);
    } else if (value < 0x800) {
        put(0xC0U | value >> 6U);
        put(0x80U | (value & 0x3FU));
    } else if (value < 0x10000) {
        put(0xE0U | value >> 12U);
        put(0x80U | (value >> 6U & 0x3FU));
        put(0x80U | (value & 0x3FU));
    } else {
        put(0xF0U | value >> 18U);
        put(0x80U | (value >> 12U & 0x3FU));
        put(0x80U | (value >> 6U & 0x3FU));
        put(0x80U | (value & 0x3FU));
    }
}

Characters first_characters(std::string_view text, std::size_t count) noexcept {
    Characters found;
    while (found.count < count && found.size < text.size()) {
        const std::size_t size = lead_of(byte_at(text, found.size)).size;
        std::size_t good = 1;
        while (good < size && found.size + good < text.size() &&
               (byte_at(text, found.size + good) & 0xC0U) == 0x80) {
            ++good;
        }
        found.size += good;
        ++found.count;
    }
    return found;
}

}  // namespace weft::subprocess
