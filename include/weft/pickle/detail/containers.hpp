#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <weft/detail/config.hpp>
#include <weft/pickle/detail/codec.hpp>
#include <weft/pickle/detail/scalars.hpp>

namespace weft::pickle::detail {

template <class T>
struct Codec<T, Shape::bytes> : Plain<Kind::bytes> {
    static void save(Writer& writer, const T& value) {
        writer.byte_string({reinterpret_cast<const char*>(value.data()), value.size()});
    }
    template <class Source>
    static bool load(Source& source, T& value) {
        std::string_view raw;
        if (!source.load_bytes(raw)) return false;
        const auto* first = reinterpret_cast<const std::byte*>(raw.data());
        value.assign(first, first + raw.size());
        return true;
    }
};

/// Reads numbers out of bytes that need not be aligned for them.
template <class Number>
class UnalignedIterator {
public:
    using iterator_category = std::random_access_iterator_tag;
    using value_type = Number;
    using difference_type = std::ptrdiff_t;
    using pointer = const Number*;
    using reference = Number;

    UnalignedIterator() = default;
    explicit UnalignedIterator(const char* place) noexcept : place_(place) {}

    Number operator*() const noexcept {
        Number number;
        std::memcpy(&number, place_, sizeof number);
        return number;
    }
    Number operator[](difference_type n) const noexcept { return *(*this + n); }
    UnalignedIterator& operator+=(difference_type n) noexcept {
        place_ += n * static_cast<difference_type>(sizeof(Number));
        return *this;
    }
    UnalignedIterator& operator-=(difference_type n) noexcept { return *this += -n; }
    UnalignedIterator& operator++() noexcept { return *this += 1; }
    UnalignedIterator& operator--() noexcept { return *this += -1; }
    UnalignedIterator operator++(int) noexcept { return std::exchange(*this, *this + 1); }
    UnalignedIterator operator--(int) noexcept { return std::exchange(*this, *this - 1); }
    friend UnalignedIterator operator+(UnalignedIterator i, difference_type n) noexcept {
        return i += n;
    }
    friend UnalignedIterator operator+(difference_type n, UnalignedIterator i) noexcept {
        return i += n;
    }
    friend UnalignedIterator operator-(UnalignedIterator i, difference_type n) noexcept {
        return i -= n;
    }
    friend difference_type operator-(const UnalignedIterator& a,
                                     const UnalignedIterator& b) noexcept {
        return (a.place_ - b.place_) / static_cast<difference_type>(sizeof(Number));
    }
    friend bool operator==(const UnalignedIterator&, const UnalignedIterator&) = default;
    friend auto operator<=>(const UnalignedIterator&, const UnalignedIterator&) = default;

private:
    const char* place_ = nullptr;
};

// The usual vectors are filled in the library, which is compiled to copy fast, however the user's
// code is compiled.
WEFT_API void assign_numbers(std::vector<std::int8_t>& numbers, std::string_view raw);
WEFT_API void assign_numbers(std::vector<std::uint8_t>& numbers, std::string_view raw);
WEFT_API void assign_numbers(std::vector<std::int16_t>& numbers, std::string_view raw);
WEFT_API void assign_numbers(std::vector<std::uint16_t>& numbers, std::string_view raw);
WEFT_API void assign_numbers(std::vector<std::int32_t>& numbers, std::string_view raw);
WEFT_API void assign_numbers(std::vector<std::uint32_t>& numbers, std::string_view raw);
WEFT_API void assign_numbers(std::vector<std::int64_t>& numbers, std::string_view raw);
WEFT_API void assign_numbers(std::vector<std::uint64_t>& numbers, std::string_view raw);
WEFT_API void assign_numbers(std::vector<float>& numbers, std::string_view raw);
WEFT_API void assign_numbers(std::vector<double>& numbers, std::string_view raw);

template <class T>
concept filled_in_library =
    requires(T& numbers, std::string_view raw) { assign_numbers(numbers, raw); };

/// array.array's letter for a number type. Those whose size is the same everywhere are chosen.
template <array_number T>
consteval char array_letter() {
    if constexpr (std::same_as<T, float>)
        return 'f';
    else if constexpr (std::same_as<T, double>)
        return 'd';
    else if constexpr (std::is_signed_v<T> || std::same_as<T, char>) {
        return sizeof(T) == 1 ? 'b' : sizeof(T) == 2 ? 'h' : sizeof(T) == 4 ? 'i' : 'q';
    } else {
        return sizeof(T) == 1 ? 'B' : sizeof(T) == 2 ? 'H' : sizeof(T) == 4 ? 'I' : 'Q';
    }
}

/// Whether an array with this letter holds the numbers of T as they are.
template <array_number T>
bool fits_array(char letter) noexcept {
    if (letter == array_letter<T>()) return true;
    if (sizeof(T) != sizeof(long)) return false;
    return std::is_integral_v<T> && letter == (std::is_signed_v<T> ? 'l' : 'L');
}

/// Numbers in one piece are an array.array, and travel with one copy. A list of numbers, or an
/// array of others, is read one by one.
template <class T>
struct Codec<T, Shape::numbers> : Plain<Kind::array, false> {
    using Number = typename T::value_type;
    static constexpr bool is_fixed = is_std_array<T>;

    static void save(Writer& writer, const T& value) {
        writer.array(array_letter<Number>(), sizeof(Number),
                     {reinterpret_cast<const char*>(value.data()), value.size() * sizeof(Number)});
    }

    template <class Source>
    static bool load(Source& source, T& value) {
        const auto place = source.place();
        ArrayView array;
        if (source.load_array(array)) {
            if (fits_array<Number>(array.letter)) return take(source, array.raw, value);
            if constexpr (Source::is_wire) return false;
            source.go_back(place);
        }
        // Numbers are read as numbers: for char, too.
        using Element = std::conditional_t<std::same_as<Number, char>, signed char, Number>;
        typename Source::Frame frame;
        if constexpr (is_fixed) {
            if (!source.begin_fixed_sequence(value.size(), frame)) return false;
            for (Number& number : value) {
                Element element{};
                if (!source.next_item(frame) || !Codec<Element>::load(source, element))
                    return false;
                number = static_cast<Number>(element);
            }
            if (source.next_item(frame)) return false;
        } else {
            if (!source.begin_sequence(frame)) return false;
            value.clear();
            while (source.next_item(frame)) {
                Element element{};
                if (!Codec<Element>::load(source, element)) {
                    std::size_t surplus = 0;
                    if (!source.retreat(frame, &surplus)) return false;
                    for (; surplus > 0; --surplus) value.pop_back();
                    break;
                }
                value.push_back(static_cast<Number>(element));
            }
        }
        source.leave(frame);
        return true;
    }

private:
    template <class Source>
    static bool take(Source& source, std::string_view raw, T& value) {
        const UnalignedIterator<Number> first(raw.data());
        const std::size_t size = raw.size() / sizeof(Number);
        if constexpr (is_fixed) {
            if (size != value.size()) return source.fail_length(value.size(), size);
            if (size > 0) std::memcpy(value.data(), raw.data(), raw.size());
        } else {
            if constexpr (filled_in_library<T>) {
                assign_numbers(value, raw);
            } else {
                value.assign(first, first + static_cast<std::ptrdiff_t>(size));
            }
        }
        return true;
    }
};

/// vector, list, deque and whatever else grows at its end.
template <class T>
struct Codec<T, Shape::sequence> : Plain<Kind::list, false> {
    using Element = typename T::value_type;

    static void save(Writer& writer, const T& value) {
        writer.begin_list(value.size() == 0);
        for (const auto& element : value) {
            CodecOf<Element>::save(writer, static_cast<const Element&>(element));
        }
        writer.end_list(value.size() == 0);
    }

    template <class Source>
    static bool load(Source& source, T& value) {
        typename Source::Frame frame;
        if (!source.begin_sequence(frame)) return false;
        value.clear();
        while (source.next_item(frame)) {
            if (!may_make<Element>(source)) return false;
            Element element{};
            if (!CodecOf<Element>::load(source, element)) {
                std::size_t surplus = 0;
                if (!source.retreat(frame, &surplus)) return false;
                for (; surplus > 0; --surplus) value.pop_back();
                break;
            }
            value.push_back(std::move(element));
        }
        source.leave(frame);
        return true;
    }
};

/// map, unordered_map and whatever else has keys and values.
template <class T>
struct Codec<T, Shape::dict> : Plain<Kind::dict, false> {
    using Key = typename T::key_type;
    using Mapped = typename T::mapped_type;
    static_assert(
        requires(T& map, Key key, Mapped value) {
            map.insert_or_assign(std::move(key), std::move(value));
        },
        "Weft cannot pickle a map with several values for one key, because a dict has one: use a "
        "map "
        "of vectors.");

    static void save(Writer& writer, const T& value) {
        static_assert(CodecOf<Key>::is_hashable,
                      "Weft cannot pickle a map with such keys, because Python's dict needs keys "
                      "that do not change: a key cannot be or contain a vector, map or set.");
        writer.begin_dict(value.size() == 0);
        for (const auto& [key, mapped] : value) {
            CodecOf<Key>::save(writer, key);
            CodecOf<Mapped>::save(writer, mapped);
        }
        writer.end_dict(value.size() == 0);
    }

    template <class Source>
    static bool load(Source& source, T& value) {
        typename Source::Frame frame;
        if (!source.begin_dict(frame)) return false;
        value.clear();
        while (source.next_entry(frame)) {
            if (!may_make<std::pair<Key, Mapped>>(source)) return false;
            Key key{};
            Mapped mapped{};
            if (!CodecOf<Key>::load(source, key) || !CodecOf<Mapped>::load(source, mapped)) {
                if (source.retreat(frame)) break;
                return false;
            }
            value.insert_or_assign(std::move(key), std::move(mapped));
        }
        source.leave(frame);
        return true;
    }
};

template <class T>
struct Codec<T, Shape::set> : Plain<Kind::set, false> {
    using Member = typename T::key_type;

    static void save(Writer& writer, const T& value) {
        static_assert(CodecOf<Member>::is_hashable,
                      "Weft cannot pickle a set with such members, because Python's set needs "
                      "members that do not change: a member cannot be or contain a vector, map or "
                      "set.");
        writer.begin_set(value.size() == 0);
        for (const auto& member : value) CodecOf<Member>::save(writer, member);
        writer.end_set(value.size() == 0);
    }

    template <class Source>
    static bool load(Source& source, T& value) {
        typename Source::Frame frame;
        if (!source.begin_set(frame)) return false;
        value.clear();
        while (source.next_member(frame)) {
            if (!may_make<Member>(source)) return false;
            Member member{};
            if (!CodecOf<Member>::load(source, member)) {
                if (source.retreat(frame)) break;
                return false;
            }
            value.insert(std::move(member));
        }
        source.leave(frame);
        return true;
    }
};

}  // namespace weft::pickle::detail
