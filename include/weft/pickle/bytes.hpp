#pragma once

#include <concepts>
#include <cstddef>
#include <ranges>
#include <span>
#include <string_view>
#include <type_traits>
#include <vector>

namespace weft {

/// Python's bytes: what dumps() returns, and what travels as bytes when it is pickled.
using bytes = std::vector<std::byte>;

}  // namespace weft

namespace weft::pickle {

namespace detail {

template <class T>
concept byte_like =
    std::same_as<T, std::byte> || std::same_as<T, char> || std::same_as<T, signed char> ||
    std::same_as<T, unsigned char> || std::same_as<T, char8_t>;

}  // namespace detail

/// A look at bytes that somebody else owns: made of a span, a vector or array of bytes or chars, a
/// string or a string_view. An array of chars is refused, because a string literal would bring its
/// closing NUL along.
class BytesView {
public:
    BytesView() = default;

    template <class Range>
        requires std::ranges::contiguous_range<Range> && std::ranges::sized_range<Range> &&
                     detail::byte_like<std::ranges::range_value_t<Range>> &&
                     (!std::is_array_v<std::remove_reference_t<Range>>)
    BytesView(const Range& range)
        : data_(reinterpret_cast<const char*>(std::ranges::data(range))),
          size_(static_cast<std::size_t>(std::ranges::size(range))) {}

    [[nodiscard]] const char* data() const noexcept { return data_; }
    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] std::string_view text() const noexcept { return {data_, size_}; }
    [[nodiscard]] std::span<const std::byte> span() const noexcept {
        return {reinterpret_cast<const std::byte*>(data_), size_};
    }

private:
    const char* data_ = nullptr;
    std::size_t size_ = 0;
};

}  // namespace weft::pickle
