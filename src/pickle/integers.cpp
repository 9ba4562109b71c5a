#include "pickle/integers.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <iterator>
#include <vector>

#include <weft/pickle/detail/endian.hpp>

namespace weft::pickle::detail {

namespace {

bool is_negative(std::string_view raw) noexcept {
    return !raw.empty() && (static_cast<unsigned char>(raw.back()) & 0x80) != 0;
}

/// The absolute value as 32-bit digits, lowest first, without leading zeros.
std::vector<std::uint32_t> magnitude_of(std::string_view raw) {
    const unsigned char fill = is_negative(raw) ? 0xff : 0;
    std::vector<std::uint32_t> digits(raw.size() / 4 + 1);
    std::uint64_t carry = fill != 0 ? 1 : 0;
    for (std::size_t i = 0; i < digits.size(); ++i) {
        std::uint32_t digit = 0;
        for (std::size_t k = 0; k < 4; ++k) {
            const std::size_t at = 4 * i + k;
            const auto byte = at < raw.size() ? static_cast<unsigned char>(raw[at]) : fill;
            digit |= static_cast<std::uint32_t>(byte) << (8 * k);
        }
        if (fill != 0) {
            carry += static_cast<std::uint32_t>(~digit);
            digit = static_cast<std::uint32_t>(carry);
            carry >>= 32;
        }
        digits[i] = digit;
    }
    while (!digits.empty() && digits.back() == 0) digits.pop_back();
    return digits;
}

std::string bytes_of(const std::vector<std::uint32_t>& digits, bool is_negative) {
    std::string raw(4 * digits.size() + 1, '\0');
    std::uint64_t carry = 1;
    for (std::size_t i = 0; i < digits.size(); ++i) {
        std::uint32_t digit = digits[i];
        if (is_negative) {
            carry += static_cast<std::uint32_t>(~digit);
            digit = static_cast<std::uint32_t>(carry);
            carry >>= 32;
        }
        store<std::endian::little>(raw.data() + 4 * i, digit);
    }
    if (is_negative && carry == 0) raw.back() = '\xff';
    return std::string(shortest(raw));
}

}  // namespace

std::string_view shortest(std::string_view raw) noexcept {
    while (!raw.empty()) {
        const char last = raw.back();
        const bool next_is_negative =
            raw.size() > 1 && (static_cast<unsigned char>(raw[raw.size() - 2]) & 0x80) != 0;
        if (!((last == '\0' && !next_is_negative) || (last == '\xff' && next_is_negative))) break;
        raw.remove_suffix(1);
    }
    return raw;
}

std::pair<std::array<char, 8>, std::size_t> little_endian_of(std::int64_t value) noexcept {
    std::array<char, 8> raw{};
    store<std::endian::little>(raw.data(), static_cast<std::uint64_t>(value));
    const std::size_t size = shortest({raw.data(), raw.size()}).size();
    return {raw, size};
}

std::optional<std::int64_t> as_int64(std::string_view raw) noexcept {
    raw = shortest(raw);
    if (raw.size() > 8) return std::nullopt;
    std::uint64_t value = is_negative(raw) ? ~std::uint64_t{0} : 0;
    for (std::size_t i = raw.size(); i-- > 0;) {
        value = (value << 8) | static_cast<unsigned char>(raw[i]);
    }
    return static_cast<std::int64_t>(value);
}

std::optional<std::uint64_t> as_uint64(std::string_view raw) noexcept {
    raw = shortest(raw);
    if (is_negative(raw) || raw.size() > 9 || (raw.size() == 9 && raw[8] != '\0')) {
        return std::nullopt;
    }
    std::uint64_t value = 0;
    for (std::size_t i = std::min<std::size_t>(raw.size(), 8); i-- > 0;) {
        value = (value << 8) | static_cast<unsigned char>(raw[i]);
    }
    return value;
}

double as_double(std::string_view raw) {
    raw = shortest(raw);
    // Before anything is done with its digits.
    if (raw.size() > 160) return is_negative(raw) ? -HUGE_VAL : HUGE_VAL;
    const std::vector<std::uint32_t> digits = magnitude_of(raw);
    // The highest 64 bits exactly, with one more bit that says whether anything is below them, so
    // that the one rounding is right.
    std::uint64_t top = 0;
    bool has_rest = false;
    int shift = 0;
    for (std::size_t i = digits.size(); i-- > 0;) {
        const std::uint32_t digit = digits[i];
        for (int bit = 31; bit >= 0; --bit) {
            const bool is_set = ((digit >> bit) & 1) != 0;
            if ((top >> 63) == 0) {
                top = (top << 1) | (is_set ? 1 : 0);
            } else {
                has_rest = has_rest || is_set;
                ++shift;
            }
        }
    }
    if (has_rest) top |= 1;
    const double value = std::ldexp(static_cast<double>(top), shift);
    return is_negative(raw) ? -value : value;
}

std::string little_endian_of_whole(double value) {
    int exponent = 0;
    const double fraction = std::frexp(std::fabs(value), &exponent);
    auto bits = static_cast<std::uint64_t>(std::ldexp(fraction, 53));
    int shift = exponent - 53;
    if (shift < 0) {
        bits = shift > -64 ? bits >> -shift : 0;
        shift = 0;
    }
    std::vector<std::uint32_t> digits(static_cast<std::size_t>(shift) / 32 + 4);
    for (int bit = 0; bit < 64; ++bit) {
        if (((bits >> bit) & 1) == 0) continue;
        const auto place = static_cast<std::size_t>(bit + shift);
        digits[place / 32] |= std::uint32_t{1} << (place % 32);
    }
    return bytes_of(digits, value < 0);
}

std::string digits_of(std::string_view raw) {
    constexpr std::size_t kMostBytes = 4000;
    std::vector<std::uint32_t> digits = magnitude_of(raw);
    if (digits.empty()) return "0";
    std::string text;  // backwards
    if (raw.size() > kMostBytes) {
        for (const std::uint32_t digit : digits) {
            for (int k = 0; k < 8; ++k) text.push_back("0123456789abcdef"[(digit >> (4 * k)) & 15]);
        }
        while (text.back() == '0') text.pop_back();
        text += "x0";
    } else {
        constexpr std::uint64_t kBillion = 1'000'000'000;
        while (!digits.empty()) {
            std::uint64_t rest = 0;
            for (std::size_t i = digits.size(); i-- > 0;) {
                rest = (rest << 32) | digits[i];
                digits[i] = static_cast<std::uint32_t>(rest / kBillion);
                rest %= kBillion;
            }
            while (!digits.empty() && digits.back() == 0) digits.pop_back();
            for (int k = 0; k < 9; ++k, rest /= 10) {
                text.push_back(static_cast<char>('0' + rest % 10));
            }
        }
        while (text.size() > 1 && text.back() == '0') text.pop_back();
    }
    if (is_negative(raw)) text.push_back('-');
    std::ranges::reverse(text);
    return text;
}

std::optional<std::string> parse_digits(std::string_view text) {
    const bool is_minus = !text.empty() && text.front() == '-';
    if (!text.empty() && (text.front() == '-' || text.front() == '+')) text.remove_prefix(1);
    if (text.empty()) return std::nullopt;
    std::vector<std::uint32_t> digits;
    for (const char letter : text) {
        if (letter < '0' || letter > '9') return std::nullopt;
        std::uint64_t carry = static_cast<std::uint64_t>(letter - '0');
        for (std::uint32_t& digit : digits) {
            carry += std::uint64_t{digit} * 10;
            digit = static_cast<std::uint32_t>(carry);
            carry >>= 32;
        }
        if (carry != 0) digits.push_back(static_cast<std::uint32_t>(carry));
    }
    return bytes_of(digits, is_minus);
}

}  // namespace weft::pickle::detail
