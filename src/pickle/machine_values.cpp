// What the machine pushes: numbers, texts and bytes, and the containers they are put into.

#include <algorithm>
#include <charconv>
#include <climits>
#include <cmath>
#include <cstddef>
#include <string>

#include <weft/pickle/detail/text.hpp>

#include "detail/fmt.hpp"
#include "pickle/integers.hpp"
#include "pickle/machine.hpp"

namespace weft::pickle::detail {

namespace {

/// Decimal digits cost the square of their number, so that there must not be too many. Python draws
/// its line at the same place.
constexpr std::size_t kMostDigits = 4300;

int hex_digit(char letter) noexcept {
    if (letter >= '0' && letter <= '9') return letter - '0';
    if (letter >= 'a' && letter <= 'f') return letter - 'a' + 10;
    if (letter >= 'A' && letter <= 'F') return letter - 'A' + 10;
    return -1;
}

/// So many hexadecimal digits from `place` on, or -1.
long hex_number(std::string_view text, std::size_t place, std::size_t digits) noexcept {
    if (place + digits > text.size()) return -1;
    long number = 0;
    for (std::size_t i = 0; i < digits; ++i) {
        const int digit = hex_digit(text[place + i]);
        if (digit < 0) return -1;
        number = number * 16 + digit;
    }
    return number;
}

void append_utf8(std::string& text, unsigned long code) {
    const auto push = [&](unsigned long byte) { text.push_back(static_cast<char>(byte)); };
    if (code < 0x80) return push(code);
    if (code < 0x800) {
        push(0xc0 | (code >> 6));
    } else if (code < 0x10000) {
        push(0xe0 | (code >> 12));
        push(0x80 | ((code >> 6) & 0x3f));
    } else {
        push(0xf0 | (code >> 18));
        push(0x80 | ((code >> 12) & 0x3f));
        push(0x80 | ((code >> 6) & 0x3f));
    }
    push(0x80 | (code & 0x3f));
}

/// Whether a decimal number without its sign, and far from one, is below it: by the place of its
/// first digit that is not 0.
bool is_below_one(std::string_view digits) noexcept {
    const std::size_t exponent_at = std::min(digits.find_first_of("eE"), digits.size());
    const std::string_view mantissa = digits.substr(0, exponent_at);
    const std::size_t point = std::min(mantissa.find('.'), mantissa.size());
    const std::size_t first = std::min(mantissa.find_first_of("123456789"), mantissa.size());
    // Of what a line can hold, no length comes near the limits of a long long.
    long long power = static_cast<long long>(point) - static_cast<long long>(first);
    std::string_view exponent = digits.substr(exponent_at);
    if (exponent.empty()) return power <= 0;
    exponent.remove_prefix(1);
    const bool is_minus = !exponent.empty() && exponent.front() == '-';
    if (!exponent.empty() && (is_minus || exponent.front() == '+')) exponent.remove_prefix(1);
    long long number = 0;
    const auto [end, error] =
        std::from_chars(exponent.data(), exponent.data() + exponent.size(), number);
    // An exponent beyond all bounds decides alone.
    if (error == std::errc::result_out_of_range || number > LLONG_MAX / 2) return is_minus;
    power += is_minus ? -number : number;
    return power <= 0;
}

}  // namespace

void Machine::push_text(std::string_view wire) {
    if (!is_ascii(wire) && !is_wire_text(wire)) fail("a str that is no UTF-8");
    push(item_of_text(wire));
}

void Machine::push_bytes(std::string_view raw) {
    Item item = item_of_text(raw);
    item.kind = Kind::bytes;
    push(item);
}

void Machine::push_integer(std::string_view little_endian) {
    const std::string_view raw = shortest(little_endian);
    if (const auto value = as_int64(raw)) return push(item_of_integer(*value));
    Item item = item_of_text(raw);
    item.kind = Kind::integer;
    item.is_big = true;
    push(item);
}

void Machine::push_real(double value) {
    Item item;
    item.kind = Kind::real;
    item.real = value;
    push(item);
}

void Machine::push_int_line(std::string_view line) {
    if (static_cast<Opcode>(opcode_) == Opcode::int_text && (line == "00" || line == "01")) {
        Item item;
        item.kind = Kind::boolean;
        item.integer = line == "01" ? 1 : 0;
        return push(item);
    }
    if (line.size() > kMostDigits + 1) {
        fail(fmt::format("an integer of more than {} digits", kMostDigits));
    }
    const auto raw = parse_digits(line);
    if (!raw) fail("an integer that is none");
    push_integer(arena_.keep(*raw));
}

void Machine::push_float_line(std::string_view line) {
    double value = 0;
    const bool is_negative = !line.empty() && line.front() == '-';
    if (!line.empty() && (is_negative || line.front() == '+')) line.remove_prefix(1);
    if (line.empty() || line.front() == '-') fail("a float that is none");
    const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), value);
    if (end != line.data() + line.size()) fail("a float that is none");
    if (error == std::errc::result_out_of_range) {
        // from_chars does not say which way it is out.
        value = is_below_one(line) ? 0.0 : HUGE_VAL;
    } else if (error != std::errc()) {
        fail("a float that is none");
    }
    push_real(is_negative ? -value : value);
}

/// Python 2's str: ASCII, as Python 3 takes it by default. Other bytes become surrogate escapes.
void Machine::push_old_bytes(std::string_view raw) {
    if (is_ascii(raw)) return push(item_of_text(raw));
    std::string wire;
    for (const char letter : raw) {
        const auto byte = static_cast<unsigned char>(letter);
        if (byte < 0x80) {
            wire.push_back(letter);
        } else {
            append_utf8(wire, 0xdc00UL + byte);
        }
    }
    push(item_of_text(arena_.keep(std::move(wire))));
}

void Machine::push_quoted_line(std::string_view line) {
    while (!line.empty() && (line.back() == ' ' || line.back() == '\r')) line.remove_suffix(1);
    if (line.size() < 2 || line.front() != line.back() ||
        (line.front() != '\'' && line.front() != '"')) {
        fail("a string without its quotes");
    }
    line = line.substr(1, line.size() - 2);
    std::string raw;
    for (std::size_t place = 0; place < line.size(); ++place) {
        if (line[place] != '\\') {
            raw.push_back(line[place]);
            continue;
        }
        if (++place == line.size()) fail("a string that ends in a backslash");
        static constexpr std::string_view kLetters = "\\'\"abfnrtv";
        static constexpr std::string_view kMeanings = "\\'\"\a\b\f\n\r\t\v";
        if (const auto known = kLetters.find(line[place]); known != std::string_view::npos) {
            raw.push_back(kMeanings[known]);
        } else if (line[place] == 'x') {
            const long byte = hex_number(line, place + 1, 2);
            if (byte < 0) fail("an escape that is none");
            raw.push_back(static_cast<char>(byte));
            place += 2;
        } else if (line[place] >= '0' && line[place] <= '7') {
            unsigned byte = 0;
            std::size_t digits = 0;
            for (; digits < 3 && place + digits < line.size(); ++digits) {
                const char digit = line[place + digits];
                if (digit < '0' || digit > '7') break;
                byte = byte * 8 + static_cast<unsigned>(digit - '0');
            }
            raw.push_back(static_cast<char>(byte & 0xff));
            place += digits - 1;
        } else {
            raw.push_back('\\');
            raw.push_back(line[place]);
        }
    }
    push_old_bytes(arena_.keep(std::move(raw)));
}

/// Python's raw-unicode-escape: Latin-1, with \uXXXX and \UXXXXXXXX.
void Machine::push_escaped_line(std::string_view line) {
    std::string wire;
    wire.reserve(line.size());
    for (std::size_t place = 0; place < line.size(); ++place) {
        // A backslash escapes only when an odd number of them stands there.
        if (line[place] == '\\') {
            std::size_t slashes = 1;
            while (place + slashes < line.size() && line[place + slashes] == '\\') ++slashes;
            const std::size_t letter = place + slashes;
            const bool is_escape = slashes % 2 == 1 && letter < line.size() &&
                                   (line[letter] == 'u' || line[letter] == 'U');
            wire.append(is_escape ? slashes - 1 : slashes, '\\');
            place += slashes - 1;
            if (!is_escape) continue;
            const std::size_t digits = line[letter] == 'u' ? 4 : 8;
            const long code = hex_number(line, letter + 1, digits);
            if (code < 0 || code > 0x10ffff) fail("an escape that is none");
            append_utf8(wire, static_cast<unsigned long>(code));
            place = letter + digits;
            continue;
        }
        append_utf8(wire, static_cast<unsigned char>(line[place]));
    }
    push(item_of_text(arena_.keep(std::move(wire))));
}

void Machine::push_buffer() {
    if (buffers_taken_ == options_.buffers.size()) {
        fail(fmt::format("buffer {} is asked for, {} were given (LoadOptions::buffers)",
                         buffers_taken_ + 1, options_.buffers.size()));
    }
    const auto buffer = options_.buffers[buffers_taken_++];
    push_bytes(arena_.keep({reinterpret_cast<const char*>(buffer.data()), buffer.size()}));
}

void Machine::push_tuple(std::size_t first) {
    push_items(Kind::tuple, first);
}

void Machine::push_items(Kind kind, std::size_t first) {
    Node& node = arena_.add(kind, offset_);
    if (kind == Kind::tuple || kind == Kind::list) {
        node.items.assign(stack_.begin() + static_cast<std::ptrdiff_t>(first), stack_.end());
        for (const Item& item : node.items) deepen(node, item);
        stack_.resize(first);
        return push(item_of(node));
    }
    // Where set_items() and add_items() look for it: below what it gets.
    stack_.insert(stack_.begin() + static_cast<std::ptrdiff_t>(first), item_of(node));
    if (kind == Kind::dict) return set_items(first + 1);
    for (std::size_t i = first + 1; i < stack_.size(); ++i) {
        if (!add_member(node, stack_[i], work_)) fail("a member of a set that has no hash");
        deepen(node, stack_[i]);
    }
    stack_.resize(first + 1);
}

void Machine::append(std::size_t first) {
    const std::size_t floor = marks_.empty() ? 0 : marks_.back();
    if (first <= floor) fail("nothing to append to");
    const Item target = stack_[first - 1];
    std::vector<Item>* items = nullptr;
    if (target.kind == Kind::list) {
        items = &target.node->items;
    } else if (target.kind == Kind::object) {
        if (!target.node->additions) target.node->additions = std::make_unique<Additions>();
        items = &target.node->additions->items;
    } else {
        fail("what is appended to is no list");
    }
    for (std::size_t i = first; i < stack_.size(); ++i) {
        deepen(*target.node, stack_[i]);
        items->push_back(stack_[i]);
    }
    stack_.resize(first);
}

void Machine::set_items(std::size_t first) {
    const std::size_t floor = marks_.empty() ? 0 : marks_.back();
    if (first <= floor) fail("nothing to set items of");
    if ((stack_.size() - first) % 2 != 0) fail("a key without its value");
    const Item target = stack_[first - 1];
    if (target.kind != Kind::dict && target.kind != Kind::object) {
        fail("what gets items by keys is no dict");
    }
    if (target.kind == Kind::object && !target.node->additions) {
        target.node->additions = std::make_unique<Additions>();
    }
    for (std::size_t i = first; i < stack_.size(); i += 2) {
        deepen(*target.node, stack_[i]);
        deepen(*target.node, stack_[i + 1]);
        if (target.kind == Kind::object) {
            target.node->additions->entries.push_back(stack_[i]);
            target.node->additions->entries.push_back(stack_[i + 1]);
        } else if (!set_entry(*target.node, stack_[i], stack_[i + 1], work_)) {
            fail("a key that has no hash");
        }
    }
    stack_.resize(first);
}

void Machine::add_items(std::size_t first) {
    const std::size_t floor = marks_.empty() ? 0 : marks_.back();
    if (first <= floor) fail("nothing to add to");
    const Item target = stack_[first - 1];
    if (target.kind != Kind::set) fail("what is added to is no set");
    for (std::size_t i = first; i < stack_.size(); ++i) {
        if (!add_member(*target.node, stack_[i], work_)) fail("a member of a set that has no hash");
        deepen(*target.node, stack_[i]);
    }
    stack_.resize(first);
}

}  // namespace weft::pickle::detail
