#include "pickle/arrays.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <string_view>

#include <weft/pickle/detail/endian.hpp>

#include "pickle/integers.hpp"
#include "pickle/node.hpp"

namespace weft::pickle::detail {

namespace {

constexpr auto kNative = std::endian::native;

/// What Python's machine format numbers mean, from 0 on.
struct Format {
    char letter;
    bool is_big_endian;
};
constexpr std::array<Format, 18> kFormats{{{'B', false},
                                           {'b', false},
                                           {'H', false},
                                           {'H', true},
                                           {'h', false},
                                           {'h', true},
                                           {'I', false},
                                           {'I', true},
                                           {'i', false},
                                           {'i', true},
                                           {'Q', false},
                                           {'Q', true},
                                           {'q', false},
                                           {'q', true},
                                           {'f', false},
                                           {'f', true},
                                           {'d', false},
                                           {'d', true}}};

template <class Unsigned, class Number>
Number number_at(const Node& node, std::size_t index) noexcept {
    return std::bit_cast<Number>(
        fetch<kNative, Unsigned>(node.data.data() + index * sizeof(Unsigned)));
}

Item real_item(double value) noexcept {
    Item item;
    item.kind = Kind::real;
    item.real = value;
    return item;
}

Item natural_item(const Node& node, std::size_t index, Scratch& scratch) noexcept {
    const auto value = number_at<std::uint64_t, std::uint64_t>(node, index);
    Item item = item_of_integer(static_cast<std::int64_t>(value));
    if (item.integer < 0) {
        store<std::endian::little>(scratch.data(), value);
        scratch[8] = '\0';
        item.is_big = true;
        item.data = scratch.data();
        item.size = scratch.size();
    }
    return item;
}

template <class Number>
std::optional<std::string> integer_bytes(std::int64_t value) {
    if (static_cast<std::int64_t>(static_cast<Number>(value)) != value) return std::nullopt;
    std::string raw(sizeof(Number), '\0');
    store<kNative>(raw.data(), static_cast<std::make_unsigned_t<Number>>(value));
    return raw;
}

/// Numbers of one kind: floating, signed, or not.
char class_of(char letter) noexcept {
    if (letter == 'f' || letter == 'd') return 'f';
    return std::string_view("bhilq").find(letter) != std::string_view::npos ? 's' : 'u';
}

}  // namespace

std::size_t array_item_size(char letter) noexcept {
    switch (letter) {
        case 'b':
        case 'B':
            return 1;
        case 'h':
        case 'H':
            return 2;
        case 'i':
        case 'I':
        case 'f':
            return 4;
        case 'l':
        case 'L':
            return sizeof(long);
        case 'q':
        case 'Q':
        case 'd':
            return 8;
        default:
            return 0;
    }
}

std::size_t array_length(const Node& node) noexcept {
    return node.data.size() / array_item_size(node.letter);
}

Item array_item(const Node& node, std::size_t index, Scratch& scratch) noexcept {
    switch (node.letter) {
        case 'b':
            return item_of_integer(number_at<std::uint8_t, std::int8_t>(node, index));
        case 'B':
            return item_of_integer(number_at<std::uint8_t, std::uint8_t>(node, index));
        case 'h':
            return item_of_integer(number_at<std::uint16_t, std::int16_t>(node, index));
        case 'H':
            return item_of_integer(number_at<std::uint16_t, std::uint16_t>(node, index));
        case 'i':
            return item_of_integer(number_at<std::uint32_t, std::int32_t>(node, index));
        case 'I':
            return item_of_integer(number_at<std::uint32_t, std::uint32_t>(node, index));
        case 'f':
            return real_item(static_cast<double>(number_at<std::uint32_t, float>(node, index)));
        case 'd':
            return real_item(number_at<std::uint64_t, double>(node, index));
        case 'l':
            if constexpr (sizeof(long) == 4) {
                return item_of_integer(number_at<std::uint32_t, std::int32_t>(node, index));
            }
            return item_of_integer(number_at<std::uint64_t, std::int64_t>(node, index));
        case 'L':
            if constexpr (sizeof(long) == 4) {
                return item_of_integer(number_at<std::uint32_t, std::uint32_t>(node, index));
            }
            return natural_item(node, index, scratch);
        case 'Q':
            return natural_item(node, index, scratch);
        default:
            return item_of_integer(number_at<std::uint64_t, std::int64_t>(node, index));
    }
}

std::optional<Rebuilt> rebuild_array(char letter, std::int64_t format, std::string_view raw) {
    if (format < 0 || static_cast<std::size_t>(format) >= kFormats.size()) return std::nullopt;
    const Format& known = kFormats[static_cast<std::size_t>(format)];
    const std::size_t size = array_item_size(known.letter);
    if (raw.size() % size != 0) return std::nullopt;
    // The letter stays where it means the same type here, as l and q do.
    const bool keeps_letter =
        array_item_size(letter) == size && class_of(letter) == class_of(known.letter);
    Rebuilt result{keeps_letter ? letter : known.letter, false, {}};
    if (size > 1 && known.is_big_endian != (kNative == std::endian::big)) {
        result.is_swapped = true;
        result.swapped = raw;
        for (std::size_t at = 0; at < raw.size(); at += size) {
            std::reverse(result.swapped.begin() + static_cast<std::ptrdiff_t>(at),
                         result.swapped.begin() + static_cast<std::ptrdiff_t>(at + size));
        }
    }
    return result;
}

std::optional<std::string> array_bytes(char letter, const Item& number) {
    if (letter == 'f' || letter == 'd') {
        double value = 0;
        if (number.kind == Kind::real) {
            value = number.real;
        } else if (number.kind == Kind::integer || number.kind == Kind::boolean) {
            value = number.is_big ? as_double(number.view()) : static_cast<double>(number.integer);
            if (std::isinf(value)) return std::nullopt;
        } else {
            return std::nullopt;
        }
        std::string raw(array_item_size(letter), '\0');
        if (letter == 'f') {
            store<kNative>(raw.data(), std::bit_cast<std::uint32_t>(static_cast<float>(value)));
        } else {
            store<kNative>(raw.data(), std::bit_cast<std::uint64_t>(value));
        }
        return raw;
    }
    if (number.kind != Kind::integer && number.kind != Kind::boolean) return std::nullopt;
    const bool is_wide = array_item_size(letter) == 8;
    if (number.is_big) {
        const auto value = as_uint64(number.view());
        if (!value || !is_wide || (letter != 'L' && letter != 'Q')) return std::nullopt;
        std::string raw(8, '\0');
        store<kNative>(raw.data(), *value);
        return raw;
    }
    switch (letter) {
        case 'b':
            return integer_bytes<std::int8_t>(number.integer);
        case 'B':
            return integer_bytes<std::uint8_t>(number.integer);
        case 'h':
            return integer_bytes<std::int16_t>(number.integer);
        case 'H':
            return integer_bytes<std::uint16_t>(number.integer);
        case 'i':
            return integer_bytes<std::int32_t>(number.integer);
        case 'I':
            return integer_bytes<std::uint32_t>(number.integer);
        case 'L':
        case 'Q':
            if (number.integer < 0) return std::nullopt;
            [[fallthrough]];
        case 'l':
        case 'q':
            if (is_wide) return integer_bytes<std::int64_t>(number.integer);
            return letter == 'l' ? integer_bytes<std::int32_t>(number.integer)
                                 : integer_bytes<std::uint32_t>(number.integer);
        default:
            return std::nullopt;
    }
}

}  // namespace weft::pickle::detail
