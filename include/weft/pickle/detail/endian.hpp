#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace weft::pickle::detail {

template <class Unsigned>
constexpr Unsigned reverse_bytes(Unsigned value) noexcept {
    Unsigned result = 0;
    for (std::size_t i = 0; i < sizeof(Unsigned); ++i) {
        result = static_cast<Unsigned>((result << 8) | ((value >> (8 * i)) & 0xff));
    }
    return result;
}

/// Stores with the given byte order, at any address. Compilers make one or two instructions of it.
template <std::endian Order, class Unsigned>
void store(void* place, Unsigned value) noexcept {
    if constexpr (Order != std::endian::native) value = reverse_bytes(value);
    std::memcpy(place, &value, sizeof value);
}

template <std::endian Order, class Unsigned>
Unsigned fetch(const void* place) noexcept {
    Unsigned value;
    std::memcpy(&value, place, sizeof value);
    if constexpr (Order != std::endian::native) value = reverse_bytes(value);
    return value;
}

}  // namespace weft::pickle::detail
