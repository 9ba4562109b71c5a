#pragma once

#include <concepts>
#include <cstddef>
#include <exception>
#include <type_traits>
#include <utility>

// What can be told of an aggregate before its fields are looked at one by one, so that what
// Boost.PFR cannot take is refused in a sentence instead of by a failure within it.

namespace weft::pickle::detail {

/// Becomes whatever a field is.
template <class T>
struct AnyField {
    template <class Field>
        requires(!std::same_as<std::remove_cvref_t<Field>, T>)
    operator Field() const {
        std::terminate();  // never called, but Clang wants to see it
    }
};

/// Becomes a base of T and nothing else.
template <class T>
struct AnyBase {
    template <class Base>
        requires(std::is_base_of_v<std::remove_cvref_t<Base>, T> &&
                 !std::same_as<std::remove_cvref_t<Base>, T>)
    operator Base() const {
        std::terminate();
    }
};

template <class T, std::size_t>
using Field = AnyField<T>;

template <class T, class Indices>
inline constexpr bool takes_fields = false;
template <class T, std::size_t... Is>
inline constexpr bool takes_fields<T, std::index_sequence<Is...>> =
    requires { T{Field<T, Is>{}...}; };

inline constexpr std::size_t kMostFields = 100;

/// How many initialisers an aggregate takes. With an array in it that is more than it has fields.
template <class T, std::size_t Count = 0>
consteval std::size_t count_initializers() {
    if constexpr (Count > kMostFields)
        return Count;
    else if constexpr (!takes_fields<T, std::make_index_sequence<Count + 1>>) {
        // A reference or a class without a default takes no fewer than all before it.
        if constexpr (Count < 8 && takes_fields<T, std::make_index_sequence<Count + 2>>) {
            return count_initializers<T, Count + 2>();
        } else {
            return Count;
        }
    } else {
        return count_initializers<T, Count + 1>();
    }
}

/// Whether the initialiser at `Place` may be {} without the number of those after it changing: an
/// array takes one pair of braces for all its items.
template <class T, class Before, class After>
inline constexpr bool takes_braces_between = false;
template <class T, std::size_t... Before, std::size_t... After>
inline constexpr bool
    takes_braces_between<T, std::index_sequence<Before...>, std::index_sequence<After...>> =
        requires { T{Field<T, Before>{}..., {}, Field<T, After>{}...}; };

template <class T, std::size_t Count, class Indices>
inline constexpr bool has_no_array = false;
template <class T, std::size_t Count, std::size_t... Places>
inline constexpr bool has_no_array<T, Count, std::index_sequence<Places...>> =
    (takes_braces_between<T, std::make_index_sequence<Places>,
                          std::make_index_sequence<Count - 1 - Places>> &&
     ...);

template <class T>
consteval bool is_plain_aggregate() {
    if constexpr (!std::is_class_v<T> || !std::is_aggregate_v<T> || std::is_polymorphic_v<T> ||
                  !std::is_default_constructible_v<T>) {
        return false;
    } else if constexpr (std::is_empty_v<T>) {
        return true;
    } else if constexpr (requires { T{AnyBase<T>{}}; }) {
        return false;
    } else {
        constexpr std::size_t kCount = count_initializers<T>();
        return kCount > 0 && kCount <= kMostFields &&
               has_no_array<T, kCount, std::make_index_sequence<kCount>>;
    }
}

/// An aggregate class that can be made without arguments and has no bases, and no array among its
/// members. (Bit-fields cannot be told from other members in time: the compiler names them.)
template <class T>
concept plain_aggregate = is_plain_aggregate<T>();

}  // namespace weft::pickle::detail
