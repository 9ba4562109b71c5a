#pragma once

#include <array>
#include <chrono>
#include <cmath>
#include <complex>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <type_traits>

#include <weft/pickle/detail/codec.hpp>

namespace weft::pickle::detail {

template <class T>
struct Codec<T, Shape::value> : Plain<kMixed> {
    static constexpr bool may_be_none = true;
    static void save(Writer& writer, const Value& value);
    template <class Source>
    static bool load(Source& source, Value& value) {
        if constexpr (Source::is_wire) {
            return false;
        } else {
            return source.load_value(value);
        }
    }
};

template <class T>
struct Codec<T, Shape::none> : Plain<Kind::none> {
    static void save(Writer& writer, const T& /*value*/) { writer.op(Opcode::none); }
    template <class Source>
    static bool load(Source& source, T& /*value*/) {
        return source.take_none() || source.fail("None");
    }
};

template <class T>
struct Codec<T, Shape::boolean> : Plain<Kind::boolean> {
    static void save(Writer& writer, bool value) { writer.boolean(value); }
    template <class Source>
    static bool load(Source& source, bool& value) {
        return source.load_boolean(value);
    }
};

template <class T>
struct Codec<T, Shape::integer> : Plain<Kind::integer> {
    static void save(Writer& writer, T value) {
        if constexpr (wide_integer<T>) {
            std::array<char, 17> raw{};
            for (std::size_t i = 0; i < 16; ++i) raw[i] = static_cast<char>(value >> (8 * i));
            raw[16] = value < 0 ? '\xff' : '\0';
            writer.wide_integer({raw.data(), raw.size()});
        } else if constexpr (std::is_signed_v<T> || sizeof(T) < 8) {
            writer.integer(static_cast<std::int64_t>(value));
        } else {
            writer.natural(value);
        }
    }

    template <class Source>
    static bool load(Source& source, T& value) {
        if constexpr (wide_integer<T>) {
            return load_wide(source, value);
        } else if constexpr (std::is_unsigned_v<T> && sizeof(T) == 8) {
            std::uint64_t natural = 0;
            if (!source.load_natural(natural)) return false;
            value = static_cast<T>(natural);
            return true;
        } else {
            std::int64_t integer = 0;
            if (!source.load_integer(integer)) return false;
            value = static_cast<T>(integer);
            return static_cast<std::int64_t>(value) == integer ||
                   source.fail_range(integer, sizeof(T));
        }
    }

private:
    template <class Source>
    static bool load_wide(Source& source, T& value) {
        std::string_view raw;
        if (!source.load_wide(raw)) {
            std::int64_t integer = 0;
            if (!source.load_integer(integer)) return false;
            value = static_cast<T>(integer);
            return std::same_as<T, weft::detail::Int128> || integer >= 0 ||
                   source.fail_range(integer, sizeof(T));
        }
        const bool is_negative = !raw.empty() && static_cast<signed char>(raw.back()) < 0;
        const bool is_signed = std::same_as<T, weft::detail::Int128>;
        if (raw.size() > 17 || (is_negative && !is_signed) ||
            (raw.size() == 17 && (is_signed || raw.back() != '\0'))) {
            return source.fail("an int of 128 bits");
        }
        weft::detail::UInt128 bits = is_negative ? ~weft::detail::UInt128{0} : 0;
        for (std::size_t i = raw.size(); i-- > 0;) {
            bits = (bits << 8) | static_cast<unsigned char>(raw[i]);
        }
        value = static_cast<T>(bits);
        return true;
    }
};

template <class T>
struct Codec<T, Shape::enumeration> : Plain<Kind::integer> {
    using Number = std::underlying_type_t<T>;
    // An enum of characters or bool is a number all the same.
    using Carrier = std::conditional_t<std::is_signed_v<Number>, std::int64_t, std::uint64_t>;
    static void save(Writer& writer, T value) {
        Codec<Carrier>::save(writer, static_cast<Carrier>(static_cast<Number>(value)));
    }
    template <class Source>
    static bool load(Source& source, T& value) {
        Carrier carrier = 0;
        if (!Codec<Carrier>::load(source, carrier)) return false;
        const auto number = static_cast<Number>(carrier);
        value = static_cast<T>(number);
        return static_cast<Carrier>(number) == carrier ||
               source.fail_range(static_cast<std::int64_t>(carrier), sizeof(T));
    }
};

template <class T>
struct Codec<T, Shape::real> : Plain<Kind::real> {
    static void save(Writer& writer, T value) { writer.real(static_cast<double>(value)); }
    template <class Source>
    static bool load(Source& source, T& value) {
        double real = 0;
        if (!source.load_real(real)) return false;
        if constexpr (!std::same_as<T, double>) {
            if (std::isfinite(real) &&
                std::fabs(real) > static_cast<double>((std::numeric_limits<T>::max)())) {
                return source.fail("a number within the range of float");
            }
        }
        value = static_cast<T>(real);
        return true;
    }
};

/// One character is a str of length one. For char that is one byte, also of what is no ASCII.
template <class T>
struct Codec<T, Shape::character> : Plain<Kind::text> {
    static void save(Writer& writer, T value) {
        if constexpr (std::same_as<T, char>) {
            writer.text({&value, 1});
        } else {
            std::array<char, 4> utf8{};
            writer.wire_text({utf8.data(), encode(static_cast<std::uint32_t>(value), utf8)});
        }
    }
    template <class Source>
    static bool load(Source& source, T& value) {
        std::string_view wire;
        if (!source.load_text(wire)) return false;
        if constexpr (std::same_as<T, char>) {
            std::string text;
            if (!decode_text(text, wire)) return false;
            if (text.size() != 1) return source.fail_character(wire);
            value = text.front();
        } else {
            std::uint32_t code = 0;
            if (!is_wire_text(wire)) return false;
            if (!decode(wire, code) || code > (std::numeric_limits<T>::max)()) {
                return source.fail_character(wire);
            }
            value = static_cast<T>(code);
        }
        return true;
    }

private:
    static std::size_t encode(std::uint32_t code, std::array<char, 4>& utf8) {
        const auto tail = [&](int shift) {
            return static_cast<char>(0x80U | ((code >> shift) & 0x3fU));
        };
        if (code < 0x80) {
            utf8 = {static_cast<char>(code)};
            return 1;
        }
        if (code < 0x800) {
            utf8 = {static_cast<char>(0xc0U | (code >> 6)), tail(0)};
            return 2;
        }
        if (code < 0x10000) {
            utf8 = {static_cast<char>(0xe0U | (code >> 12)), tail(6), tail(0)};
            return 3;
        }
        utf8 = {static_cast<char>(0xf0U | ((code >> 18) & 7U)), tail(12), tail(6), tail(0)};
        return 4;
    }
    /// One character of UTF-8 that has been checked.
    static bool decode(std::string_view wire, std::uint32_t& code) {
        if (wire.empty()) return false;
        const auto first = static_cast<unsigned char>(wire.front());
        const std::size_t size = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
        if (wire.size() != size) return false;
        code = size == 1 ? first : first & (0x7fU >> size);
        for (std::size_t i = 1; i < size; ++i) {
            code = (code << 6) | (static_cast<unsigned char>(wire[i]) & 0x3fU);
        }
        return true;
    }
};

template <class T>
struct Codec<T, Shape::text> : Plain<Kind::text> {
    static void save(Writer& writer, std::string_view value) { writer.text(value); }
    template <class Source>
    static bool load(Source& source, T& value) {
        static_assert(is_string<T>,
                      "Weft cannot read into a view or pointer, because nobody would own the text: "
                      "use std::string.");
        std::string_view wire;
        if (!source.load_text(wire)) return false;
        if constexpr (std::same_as<T, std::string>) {
            return decode_text(value, wire);
        } else {
            std::string text;
            if (!decode_text(text, wire)) return false;
            value.assign(text.data(), text.size());
            return true;
        }
    }
};

/// A duration is its count: exact, whatever its unit. Python's datetime.timedelta is read as well
/// where it comes out even.
template <class T>
struct Codec<T, Shape::duration> : Plain<kMixed> {
    using Count = typename T::rep;
    static void save(Writer& writer, const T& value) {
        CodecOf<Count>::save(writer, value.count());
    }
    template <class Source>
    static bool load(Source& source, T& value) {
        if constexpr (!Source::is_wire) {
            std::int64_t days = 0;
            std::int64_t seconds = 0;
            std::int64_t microseconds = 0;
            if (source.load_timedelta(days, seconds, microseconds)) {
                return from_timedelta(source, days, seconds, microseconds, value);
            }
        }
        Count count{};
        if (!CodecOf<Count>::load(source, count)) return false;
        value = T(count);
        return true;
    }

private:
    template <class Source>
    static bool from_timedelta(Source& source, std::int64_t days, std::int64_t seconds,
                               std::int64_t microseconds, T& value) {
        // Python's limits (a billion days) fit into 64 bits of microseconds only for part of them.
        constexpr std::int64_t kMostDays = 100'000'000;
        if (days > kMostDays || days < -kMostDays)
            return source.fail("a shorter datetime.timedelta");
        const std::chrono::microseconds exact((days * 86'400 + seconds) * 1'000'000 + microseconds);
        if constexpr (std::chrono::treat_as_floating_point_v<Count>) {
            value = std::chrono::duration_cast<T>(exact);
            return true;
        } else {
            const double wanted = std::chrono::duration<double, typename T::period>(exact).count();
            if (std::fabs(wanted) > static_cast<double>((std::numeric_limits<Count>::max)()) ||
                std::fabs(wanted) > 9e18) {
                return source.fail("a shorter datetime.timedelta");
            }
            value = std::chrono::duration_cast<T>(exact);
            return std::chrono::duration_cast<std::chrono::microseconds>(value) == exact ||
                   source.fail("a datetime.timedelta of whole units");
        }
    }
};

template <class T>
struct Codec<T, Shape::time_point> : Codec<typename T::duration> {
    using Since = Codec<typename T::duration>;
    static void save(Writer& writer, const T& value) {
        Since::save(writer, value.time_since_epoch());
    }
    template <class Source>
    static bool load(Source& source, T& value) {
        typename T::duration since{};
        if (!Since::load(source, since)) return false;
        value = T(since);
        return true;
    }
};

inline constexpr Name kComplexName{"builtins", "complex"};

template <class T>
struct Codec<T, Shape::complex> : Plain<Kind::object> {
    using Part = typename T::value_type;
    static void save(Writer& writer, const T& value) {
        writer.global(kComplexName);
        CodecOf<Part>::save(writer, value.real());
        CodecOf<Part>::save(writer, value.imag());
        writer.op(Opcode::tuple2);
        writer.op(Opcode::reduce);
    }
    template <class Source>
    static bool load(Source& source, T& value) {
        if constexpr (Source::is_wire) {
            return false;
        } else {
            std::string_view module;
            std::string_view name;
            typename Source::Frame frame;
            Part real{};
            Part imaginary{};
            if (!source.peek_class(module, name) || module != "builtins" || name != "complex") {
                if (!CodecOf<Part>::load(source, real)) return source.fail("a complex");
                value = T(real);
                return true;
            }
            if (!source.begin_object_items(frame) || source.items_left() != 2 ||
                !CodecOf<Part>::load(source, real) || !CodecOf<Part>::load(source, imaginary)) {
                return source.fail("a complex");
            }
            source.leave(frame);
            value = T(real, imaginary);
            return true;
        }
    }
};

}  // namespace weft::pickle::detail
