#pragma once

#include <cstddef>
#include <type_traits>

#include <weft/pickle/detail/shape.hpp>
#include <weft/pickle/detail/value_source.hpp>
#include <weft/pickle/detail/wire_source.hpp>
#include <weft/pickle/detail/writer.hpp>

namespace weft::pickle::detail {

/// How values of one shape are written and read. Each has
///
///     static constexpr Kind kind;          // what Python sees
///     static constexpr bool may_be_none;   // whether that may be None instead
///     static constexpr bool is_hashable;   // whether it may be a key in Python
///     static void save(Writer&, const T&);
///     template <class Source> static bool load(Source&, T&);
///
/// where load() returns false after the source has noted why.
template <class T, Shape = shape_of<T>()>
struct Codec;

/// For what is one of several kinds: nothing can be told by it.
inline constexpr Kind kMixed = Kind::global;

template <class T>
using CodecOf = Codec<std::remove_cv_t<T>>;

/// What most codecs are.
template <Kind Is, bool Hashable = true>
struct Plain {
    static constexpr Kind kind = Is;
    static constexpr bool may_be_none = Is == Kind::none;
    static constexpr bool is_hashable = Hashable;
    /// Whether a shared pointer's object takes its number before its content is written.
    static constexpr bool is_early = Is == Kind::list || Is == Kind::dict;
};

// What is refused. Each gives one sentence that says what to do.

template <class T>
inline constexpr bool never = false;

template <class T>
struct Codec<T, Shape::pointer> : Plain<kMixed> {
    static_assert(never<T>,
                  "Weft cannot pickle a pointer, because it does not say who owns the object: use "
                  "std::unique_ptr, std::shared_ptr or the object itself.");
};
template <class T>
struct Codec<T, Shape::long_double> : Plain<kMixed> {
    static_assert(
        never<T>,
        "Weft cannot pickle a long double, because Python's float has 64 bits: use double.");
};
template <class T>
struct Codec<T, Shape::c_array> : Plain<kMixed> {
    static_assert(never<T>, "Weft cannot pickle a C array: use std::array or std::vector.");
};
template <class T>
struct Codec<T, Shape::view> : Plain<kMixed> {
    static_assert(
        never<T>,
        "Weft cannot pickle a view, because nobody could own what is read: use a container.");
};
template <class T>
struct Codec<T, Shape::odd_aggregate> : Plain<kMixed> {
    static_assert(never<T>,
                  "Weft cannot pickle this struct by itself, because it has a base, an array, more "
                  "than 100 members or a member without a default: give it a function "
                  "serialize(archive, object).");
};
template <class T>
struct Codec<T, Shape::unknown> : Plain<kMixed> {
    static_assert(
        never<T>,
        "Weft cannot pickle this class, because it is no plain struct: give it a function "
        "template <class Archive> void serialize(Archive& archive, C& object) in its own "
        "namespace.");
};

/// Whether values of T can be pickled, as far as T itself tells; its parts are looked at when they
/// are written.
template <class T>
inline constexpr bool is_picklable = shape_of<T>() < Shape::pointer;

/// What makes an object of T as it was when it was made, so that it holds no other any more; null
/// where T cannot be assigned.
template <class T>
constexpr auto reset_of() noexcept -> void (*)(void*) {
    if constexpr (std::is_move_assignable_v<T> && std::is_default_constructible_v<T>) {
        return [](void* object) { *static_cast<T*>(object) = T(); };
    } else {
        return nullptr;
    }
}

/// Counts the making of a T. One that is read from bytes of its own has 64 of them for each byte.
template <class T, class Source>
bool may_make(Source& source) {
    if constexpr (Source::is_wire && sizeof(T) <= 64) {
        return true;
    } else {
        return source.may_copy(sizeof(T));
    }
}

}  // namespace weft::pickle::detail
