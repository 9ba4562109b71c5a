#pragma once

#include <array>
#include <chrono>
#include <complex>
#include <concepts>
#include <cstddef>
#include <exception>
#include <memory>
#include <optional>
#include <ranges>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>

#include <weft/detail/config.hpp>
#include <weft/pickle/detail/aggregate.hpp>
#include <weft/pickle/value.hpp>

// Which of the known ways a type travels, chosen in one place, so that the order of the questions
// is the whole rule.

namespace weft::pickle {

class SaveArchive;

namespace detail {

enum class Shape {
    value,
    none,
    boolean,
    character,
    integer,
    real,
    enumeration,
    text,
    user_class,
    exception,
    optional,
    variant,
    unique_pointer,
    shared_pointer,
    tuple,
    numbers,  ///< contiguous numbers of one type: array.array
    bytes,
    duration,
    time_point,
    complex,
    dict,
    set,
    sequence,
    aggregate,
    // refused
    pointer,
    long_double,
    c_array,
    view,
    odd_aggregate,
    unknown,
};

// Found by argument-dependent lookup alone: this hides whatever else has the name.
void serialize() = delete;

template <class T>
concept has_serialize = requires(SaveArchive& archive, T& object) { serialize(archive, object); };

template <class T, template <class...> class Template>
inline constexpr bool is_instance = false;
template <template <class...> class Template, class... Parts>
inline constexpr bool is_instance<Template<Parts...>, Template> = true;

template <class T>
inline constexpr bool is_std_array = false;
template <class T, std::size_t Size>
inline constexpr bool is_std_array<std::array<T, Size>> = true;

template <class T>
inline constexpr bool is_time_point = false;
template <class Clock, class Duration>
inline constexpr bool is_time_point<std::chrono::time_point<Clock, Duration>> = true;

template <class T>
inline constexpr bool is_string = false;
template <class Traits, class Allocator>
inline constexpr bool is_string<std::basic_string<char, Traits, Allocator>> = true;

template <class T>
concept character = std::same_as<T, char> || std::same_as<T, wchar_t> || std::same_as<T, char8_t> ||
                    std::same_as<T, char16_t> || std::same_as<T, char32_t>;

template <class T>
concept wide_integer =
    std::same_as<T, weft::detail::Int128> || std::same_as<T, weft::detail::UInt128>;

/// What an array.array holds.
template <class T>
concept array_number = (std::integral<T> && !std::same_as<T, bool> && sizeof(T) <= 8 &&
                        (!character<T> || std::same_as<T, char>)) ||
                       std::same_as<T, float> || std::same_as<T, double>;

template <class T>
concept container = requires(T& container) {
    typename T::value_type;
    container.begin();
    container.end();
    container.size();
    container.clear();
};
template <class T>
concept growing = container<T> && requires(T& container, typename T::value_type item) {
    container.push_back(std::move(item));
};
template <class T>
concept contiguous_growing = growing<T> && std::ranges::contiguous_range<T> &&
                             requires(T& c, const typename T::value_type* p) { c.assign(p, p); };
template <class T>
concept keyed = container<T> && requires { typename T::key_type; };
template <class T>
concept mapping = keyed<T> && requires { typename T::mapped_type; };

template <class T>
consteval Shape shape_of() {
    if constexpr (std::same_as<T, Value>)
        return Shape::value;
    else if constexpr (std::same_as<T, std::monostate> || std::same_as<T, std::nullptr_t>)
        return Shape::none;
    else if constexpr (std::same_as<T, bool>)
        return Shape::boolean;
    else if constexpr (character<T>)
        return Shape::character;
    else if constexpr (std::integral<T> || wide_integer<T>)
        return Shape::integer;
    else if constexpr (std::same_as<T, long double>)
        return Shape::long_double;
    else if constexpr (std::floating_point<T>)
        return Shape::real;
    else if constexpr (has_serialize<T>)
        return Shape::user_class;
    else if constexpr (std::is_enum_v<T>)
        return Shape::enumeration;
    else if constexpr (is_string<T>)
        return Shape::text;
    else if constexpr (std::same_as<T, std::string_view> || std::same_as<T, const char*> ||
                       std::same_as<T, char*>)
        return Shape::text;
    else if constexpr (std::is_pointer_v<T> || std::is_member_pointer_v<T>)
        return Shape::pointer;
    else if constexpr (std::is_array_v<T>)
        return Shape::c_array;
    else if constexpr (std::same_as<T, std::exception_ptr>)
        return Shape::exception;
    else if constexpr (is_instance<T, std::optional>)
        return Shape::optional;
    else if constexpr (is_instance<T, std::variant>)
        return Shape::variant;
    else if constexpr (is_instance<T, std::unique_ptr>)
        return Shape::unique_pointer;
    else if constexpr (is_instance<T, std::shared_ptr>)
        return Shape::shared_pointer;
    else if constexpr (is_std_array<T>)
        return array_number<typename T::value_type> ? Shape::numbers : Shape::tuple;
    else if constexpr (is_instance<T, std::pair> || is_instance<T, std::tuple>)
        return Shape::tuple;
    else if constexpr (is_instance<T, std::chrono::duration>)
        return Shape::duration;
    else if constexpr (is_time_point<T>)
        return Shape::time_point;
    else if constexpr (is_instance<T, std::complex>)
        return Shape::complex;
    else if constexpr (mapping<T>)
        return Shape::dict;
    else if constexpr (keyed<T>)
        return Shape::set;
    else if constexpr (contiguous_growing<T>) {
        if constexpr (std::same_as<typename T::value_type, std::byte>)
            return Shape::bytes;
        else if constexpr (array_number<typename T::value_type>)
            return Shape::numbers;
        else
            return Shape::sequence;
    } else if constexpr (growing<T>)
        return Shape::sequence;
    else if constexpr (std::ranges::view<T>)
        return Shape::view;
    else if constexpr (plain_aggregate<T>)
        return Shape::aggregate;
    else if constexpr (std::is_aggregate_v<T>)
        return Shape::odd_aggregate;
    else
        return Shape::unknown;
}

}  // namespace detail

}  // namespace weft::pickle
