#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>

#include <boost/pfr/core.hpp>
#include <boost/pfr/tuple_size.hpp>

#include <weft/pickle/detail/codec.hpp>
#include <weft/pickle/detail/registry.hpp>

namespace weft::pickle::detail {

/// Reads or writes parts that lie in a std::tuple of references, in order.
template <class Parts>
void save_parts(Writer& writer, const Parts& parts) {
    std::apply(
        [&](const auto&... part) {
            (CodecOf<std::remove_cvref_t<decltype(part)>>::save(writer, part), ...);
        },
        parts);
}

template <class Source, class Parts>
bool load_parts(Source& source, Parts&& parts) {
    return std::apply(
        [&](auto&... part) {
            return (CodecOf<std::remove_reference_t<decltype(part)>>::load(source, part) && ...);
        },
        parts);
}

template <class Parts>
inline constexpr bool are_hashable = false;
template <class... Parts>
inline constexpr bool are_hashable<std::tuple<Parts...>> =
    (CodecOf<std::remove_cvref_t<Parts>>::is_hashable && ...);

template <class T>
struct Codec<T, Shape::tuple> : Plain<Kind::tuple> {
    static constexpr std::size_t size = std::tuple_size_v<T>;
    static constexpr bool is_hashable = []<std::size_t... Is>(std::index_sequence<Is...>) {
        return (CodecOf<std::tuple_element_t<Is, T>>::is_hashable && ...);
    }(std::make_index_sequence<size>());

    static void save(Writer& writer, const T& value) {
        writer.begin_tuple(size);
        save_parts(writer, value);
        writer.end_tuple(size);
    }
    template <class Source>
    static bool load(Source& source, T& value) {
        typename Source::Frame frame;
        return source.begin_tuple(size, frame) && load_parts(source, value) &&
               source.end_tuple(size, frame);
    }
};

/// A plain struct is the tuple of its members. With a registered name it is what calling that name
/// with its members gives: a dataclass or a named tuple will do on Python's side.
template <class T>
struct Codec<T, Shape::aggregate> : Plain<Kind::object> {
    static constexpr std::size_t size = boost::pfr::tuple_size_v<T>;

    static auto parts(const T& value) {
        if constexpr (size == 0) {
            return std::tuple<>();
        } else {
            return boost::pfr::structure_tie(value);
        }
    }
    static auto parts(T& value) {
        if constexpr (size == 0) {
            return std::tuple<>();
        } else {
            return boost::pfr::structure_tie(value);
        }
    }
    // A struct may hold a vector of itself, so what its members are is asked only where it matters:
    // Python says no when they have no hash.

    static void save(Writer& writer, const T& value) {
        const ClassEntry* entry = class_entry<T>();
        if (entry != nullptr) [[unlikely]]
            writer.global(*entry);
        writer.begin_tuple(size);
        save_parts(writer, parts(value));
        writer.end_tuple(size);
        if (entry != nullptr) [[unlikely]]
            writer.op(Opcode::reduce);
    }

    template <class Source>
    static bool load(Source& source, T& value) {
        const ClassEntry* entry = class_entry<T>();
        typename Source::Frame frame;
        if (entry != nullptr) [[unlikely]] {
            if constexpr (Source::is_wire) {
                return source.take_name(entry->module, entry->qualified_name) &&
                       source.begin_tuple(size, frame) && load_parts(source, parts(value)) &&
                       source.end_tuple(size, frame) && source.take_reduce();
            } else if (source.is_object_of(*entry)) {
                if (!source.begin_object_items(frame)) return false;
                if (source.items_left() != size)
                    return source.fail_length(size, source.items_left());
                if (!load_parts(source, parts(value))) return false;
                source.leave(frame);
                return true;
            }
        }
        return source.begin_tuple(size, frame) && load_parts(source, parts(value)) &&
               source.end_tuple(size, frame);
    }
};

/// None or the value. Where the value may itself be None it travels in a tuple of one.
template <class T>
struct Codec<T, Shape::optional> : Plain<kMixed> {
    using Held = typename T::value_type;
    using HeldCodec = CodecOf<Held>;
    static constexpr bool may_be_none = true;
    static constexpr bool is_hashable = HeldCodec::is_hashable;
    static constexpr bool is_wrapped = HeldCodec::may_be_none;

    static void save(Writer& writer, const T& value) {
        if (!value) return writer.op(Opcode::none);
        if constexpr (is_wrapped) writer.begin_tuple(1);
        HeldCodec::save(writer, *value);
        if constexpr (is_wrapped) writer.end_tuple(1);
    }

    template <class Source>
    static bool load(Source& source, T& value) {
        if constexpr (is_wrapped && Source::is_wire) {
            // Whether a None is the optional's own shows only behind it.
            return false;
        } else {
            if (source.take_none()) {
                value.reset();
                return true;
            }
            typename Source::Frame frame;
            if (is_wrapped && !source.begin_tuple(1, frame)) return false;
            if (!HeldCodec::load(source, value.emplace())) return false;
            return !is_wrapped || source.end_tuple(1, frame);
        }
    }
};

/// Whether values of these kinds can be told apart by what Python sees of them.
template <std::size_t Count>
consteval bool are_distinct(const std::array<Kind, Count>& kinds) {
    std::size_t structured = 0;
    bool has_object = false;
    for (std::size_t i = 0; i < Count; ++i) {
        if (kinds[i] == kMixed) return false;
        has_object = has_object || kinds[i] == Kind::object;
        structured += kinds[i] == Kind::object || kinds[i] == Kind::tuple || kinds[i] == Kind::dict;
        for (std::size_t k = i + 1; k < Count; ++k) {
            if (kinds[i] == kinds[k]) return false;
        }
    }
    return !has_object || structured == 1;
}

/// The value itself, where what it is tells which alternative it belongs to, and otherwise the
/// tuple (index, value).
template <class... Ts>
struct Codec<std::variant<Ts...>, Shape::variant> : Plain<kMixed> {
    using T = std::variant<Ts...>;
    static constexpr std::array<Kind, sizeof...(Ts)> kinds{CodecOf<Ts>::kind...};
    static constexpr bool is_bare = are_distinct(kinds);
    static constexpr bool may_be_none = is_bare && (CodecOf<Ts>::may_be_none || ...);
    static constexpr bool is_hashable = (CodecOf<Ts>::is_hashable && ...);

    static void save(Writer& writer, const T& value) {
        if constexpr (!is_bare) {
            writer.begin_tuple(2);
            writer.natural(value.index());
        }
        std::visit(
            [&](const auto& held) {
                CodecOf<std::remove_cvref_t<decltype(held)>>::save(writer, held);
            },
            value);
        if constexpr (!is_bare) writer.end_tuple(2);
    }

    template <class Source>
    static bool load(Source& source, T& value) {
        if constexpr (is_bare) {
            return load_bare(source, value);
        } else {
            typename Source::Frame frame;
            std::uint64_t index = 0;
            if (!source.begin_tuple(2, frame) || !source.load_natural(index)) return false;
            if (index >= sizeof...(Ts)) return source.fail("the index of an alternative");
            bool is_loaded = false;
            [&]<std::size_t... Is>(std::index_sequence<Is...>) {
                ((index == Is && (is_loaded = load_as<Is>(source, value))) || ...);
            }(std::index_sequence_for<Ts...>());
            return is_loaded && source.end_tuple(2, frame);
        }
    }

private:
    template <std::size_t I, class Source>
    static bool load_as(Source& source, T& value) {
        using Held = std::variant_alternative_t<I, T>;
        return CodecOf<Held>::load(source, value.template emplace<I>());
    }

    static constexpr bool matches(Kind known, Kind met) noexcept {
        if (known == met) return true;
        if (known == Kind::object) return met == Kind::tuple || met == Kind::dict;
        return (known == Kind::set && met == Kind::frozenset) ||
               (known == Kind::bytes && met == Kind::bytearray);
    }

    template <class Source>
    static bool load_bare(Source& source, T& value) {
        const Kind met = source.peek_kind();
        bool is_loaded = false;
        const auto try_each = [&](auto accepts) {
            const auto place = source.place();
            [&]<std::size_t... Is>(std::index_sequence<Is...>) {
                ((accepts(kinds[Is]) &&
                  ((is_loaded = load_as<Is>(source, value)) || (source.go_back(place), false))) ||
                 ...);
            }(std::index_sequence_for<Ts...>());
        };
        if constexpr (Source::is_wire) {
            // A number may be the first item of a tuple, which only what follows it shows. Then
            // what is around here fails, and the other way of reading finds out.
            if (met == Kind::object) return load_wire_other(source, value);
            try_each([&](Kind known) { return known == met; });
            return is_loaded;
        } else {
            try_each([&](Kind known) { return matches(known, met); });
            if (!is_loaded) try_each([&](Kind known) { return !matches(known, met); });
            return is_loaded || source.fail("one of the variant's alternatives");
        }
    }

    /// A text and an array begin alike; what else there may be is left to the other way of reading.
    template <class Source>
    static bool load_wire_other(Source& source, T& value) {
        constexpr bool kHasOther =
            ((CodecOf<Ts>::kind == Kind::array || CodecOf<Ts>::kind == Kind::object ||
              CodecOf<Ts>::kind == Kind::tuple) ||
             ...);
        if constexpr (kHasOther) {
            return false;
        } else {
            bool is_loaded = false;
            [&]<std::size_t... Is>(std::index_sequence<Is...>) {
                ((kinds[Is] == Kind::text && (is_loaded = load_as<Is>(source, value))) || ...);
            }(std::index_sequence_for<Ts...>());
            return is_loaded;
        }
    }
};

}  // namespace weft::pickle::detail
