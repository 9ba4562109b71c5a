#pragma once

#include <cstddef>
#include <string_view>
#include <type_traits>
#include <utility>

#include <weft/detail/config.hpp>
#include <weft/pickle/bytes.hpp>
#include <weft/pickle/detail/codecs.hpp>
#include <weft/pickle/errors.hpp>
#include <weft/pickle/options.hpp>
#include <weft/pickle/value.hpp>

namespace weft::pickle {

namespace detail {

/// Reads any pickle with the machine; throws UnpicklingError.
WEFT_API Value load_value(BytesView wire, const LoadOptions& options);
[[noreturn]] WEFT_API void throw_unloadable(const ValueSource& source);
[[noreturn]] WEFT_API void throw_not_a(const ValueSource& source);
WEFT_API std::size_t input_size_of(const Value& value) noexcept;

template <class T>
using Decayed =
    std::conditional_t<std::is_array_v<T> && std::is_same_v<std::remove_extent_t<T>, char>,
                       std::string_view, T>;

}  // namespace detail

/// Appends one pickle of `object` to `buffer`, which may be used again and again to save the
/// allocation. Options as in dumps(), which also says what is thrown; then `buffer` is as it was.
template <class T>
void dump(const T& object, weft::bytes& buffer, const DumpOptions& options = {}) {
    detail::Writer writer(buffer, options);
    detail::CodecOf<detail::Decayed<T>>::save(writer, object);
    writer.finish();
}

/// The pickle of `object`: what `pickle.loads` of Python reads, and loads() below.
///
/// | C++ | Python |
/// | --- | --- |
/// | bool; integers, enums; float, double | bool; int; float |
/// | `std::string`, `std::string_view`, `const char*`, char | str |
/// | weft::bytes | bytes |
/// | vector and array of a number type | array.array |
/// | vector, list, deque | list |
/// | map, unordered_map; set, unordered_set | dict; set |
/// | pair, tuple, array | tuple |
/// | a plain struct | the tuple of its members |
/// | optional, unique_ptr, shared_ptr | None or the value |
/// | variant | the value, or (index, value) where that is ambiguous |
/// | durations, time points | int or float: the count |
/// | `std::complex` | complex |
/// | a class with `serialize(archive, object)` | tuple, dict, or an object of a registered name |
/// | `std::exception_ptr` | an exception |
/// | Value | what it is |
///
/// Throws PicklingError for a cycle that Python could not make, for a class that is met through its
/// base and has no registered name, and beyond DumpOptions::max_depth; `std::invalid_argument` for
/// options that do not exist; whatever a serialize() throws. Several threads may pickle at once,
/// also the same object if nobody changes it.
template <class T>
weft::bytes dumps(const T& object, const DumpOptions& options = {}) {
    weft::bytes buffer;
    dump(object, buffer, options);
    return buffer;
}

/// Reads the pickle that `wire` begins with into `object`, whose memory is used again where it can
/// be. Throws what loads() throws; then `object` may have been changed in part.
template <class T>
void load_into(BytesView wire, T& object, const LoadOptions& options = {}) {
    static_assert(!std::is_const_v<T>, "Weft cannot read into a const object.");
    {
        detail::WireSource source(wire, options);
        if (source.begin() && detail::CodecOf<T>::load(source, object) && source.end()) return;
    }
    // Unusual or wrong: read by the machine that knows everything, then converted.
    const Value value = detail::load_value(wire, options);
    detail::ValueSource source(value, options, wire.size());
    if (!detail::CodecOf<T>::load(source, object)) detail::throw_unloadable(source);
    source.keep();
}

/// The object that a pickle of protocol 0 to 5 holds, as T. `wire` is anything bytes-like; bytes
/// behind the pickle are not looked at. What T can be is listed at dumps(); where Python's types
/// are wider, what fits is taken (an int for a double, a tuple for a vector), and what does not is
/// refused (a float for an int, 300 for an 8-bit number).
///
/// Nothing that the pickle names is called. Throws UnpicklingError, with the place, for bytes that
/// are no pickle or do not hold a T, and `std::bad_alloc`. Memory and time are bounded by the
/// length of the input and by LoadOptions.
template <class T>
    requires(!std::is_same_v<T, Value>)
T loads(BytesView wire, const LoadOptions& options = {}) {
    static_assert(std::is_default_constructible_v<T>,
                  "Weft can only read types that can be made without arguments.");
    T object{};
    load_into(wire, object, options);
    return object;
}

/// The object that a pickle holds, whatever it is.
template <class T = Value>
    requires std::is_same_v<T, Value>
Value loads(BytesView wire, const LoadOptions& options = {}) {
    return detail::load_value(wire, options);
}

template <class T>
Value Value::of(const T& value) {
    return detail::load_value(dumps(value, {.protocol = HIGHEST_PROTOCOL}), {});
}

template <class T>
bool Value::is() const {
    detail::ValueSource source(*this, {}, detail::input_size_of(*this));
    T object{};
    return detail::CodecOf<T>::load(source, object);
}

template <class T>
T Value::get() const {
    detail::ValueSource source(*this, {}, detail::input_size_of(*this));
    T object{};
    if (!detail::CodecOf<T>::load(source, object)) detail::throw_not_a(source);
    source.keep();
    return object;
}

}  // namespace weft::pickle
