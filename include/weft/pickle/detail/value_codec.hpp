#pragma once

#include <weft/detail/config.hpp>
#include <weft/pickle/detail/scalars.hpp>

namespace weft::pickle::detail {

WEFT_API void save_value(Writer& writer, const Value& value);

template <class T>
void Codec<T, Shape::value>::save(Writer& writer, const Value& value) {
    save_value(writer, value);
}

}  // namespace weft::pickle::detail
