#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <weft/detail/config.hpp>
#include <weft/pickle/bytes.hpp>
#include <weft/pickle/detail/item.hpp>

namespace weft::pickle {

class Value;
WEFT_API bool operator==(const Value& left, const Value& right);

namespace detail {

class ValueSource;
class Writer;
struct ValueAccess;

}  // namespace detail

/// A Python value that is not known beforehand: what `loads(wire)` returns.
///
/// It does not change once it exists. A copy is another handle on the same value, as a name is in
/// Python; copies may be used by several threads at once. Parts share the memory of the whole
/// pickle they came in, which goes when the last of them does.
///
///     pickle::Value any = pickle::loads(wire);
///     if (any.is<std::string>()) use(any.get<std::string>());
///     int port = any.at("address").at(1).get<int>();
///     std::puts(any.repr().c_str());                       // {'address': ('localhost', 6000)}
///
/// A class or function that a pickle names is never called. Weft knows what the plain types of
/// Python's library would become (bytes, bytearray, set, frozenset, array); anything else is kept
/// as an object with the name of its class, its arguments and its state, and is written again as it
/// came.
class WEFT_API Value {
public:
    /// None.
    Value() noexcept = default;
    Value(std::nullptr_t) noexcept {}
    template <std::same_as<bool> Bool>
    Value(Bool value) noexcept {
        item_.kind = Kind::boolean;
        item_.integer = value ? 1 : 0;
    }
    template <std::integral Integer>
        requires(!std::same_as<Integer, bool> && !std::same_as<Integer, char> &&
                 !std::same_as<Integer, wchar_t> && !std::same_as<Integer, char8_t> &&
                 !std::same_as<Integer, char16_t> && !std::same_as<Integer, char32_t>)
    Value(Integer value) {
        item_.kind = Kind::integer;
        item_.integer = static_cast<std::int64_t>(value);
        if (value > 0 && item_.integer < 0) make_natural(static_cast<std::uint64_t>(value));
    }
    Value(double value) noexcept {
        item_.kind = Kind::real;
        item_.real = value;
    }
    /// A str. Bytes that are no UTF-8 become surrogate escapes, as in Python's file names.
    Value(std::string_view text);
    Value(const std::string& text) : Value(std::string_view(text)) {}
    Value(const char* text) : Value(std::string_view(text)) {}
    Value(const weft::bytes& value);

    /// Throws weft::TypeError if a key of a dict or a member of a set is a list, dict, set or
    /// array. Of equal keys the first is kept, with the last value; two objects are one key only
    /// when they are the same object, or dates, fractions and the like.
    [[nodiscard]] static Value tuple(std::vector<Value> items);
    [[nodiscard]] static Value list(std::vector<Value> items);
    [[nodiscard]] static Value dict(std::vector<std::pair<Value, Value>> entries);
    [[nodiscard]] static Value set(std::vector<Value> members);
    [[nodiscard]] static Value frozenset(std::vector<Value> members);
    [[nodiscard]] static Value bytearray(BytesView value);
    /// An integer of any size, as little-endian two's complement.
    [[nodiscard]] static Value integer(BytesView little_endian);
    /// A class or function, by name.
    [[nodiscard]] static Value global(std::string_view module, std::string_view name);
    /// What `callable(*args)` would be, and then `__setstate__(state)` if that is not None.
    [[nodiscard]] static Value object(const Value& callable, const Value& args,
                                      const Value& state = {});
    /// Any C++ value that can be pickled, as what Python would take it for.
    template <class T>
    [[nodiscard]] static Value of(const T& value);

    [[nodiscard]] Kind kind() const noexcept { return item_.kind; }
    [[nodiscard]] bool is_none() const noexcept { return item_.kind == Kind::none; }
    /// The name of the type in Python: `int`, `list`, `bank.Account`.
    [[nodiscard]] std::string type_name() const;

    /// Whether get<T>() would succeed.
    template <class T>
    [[nodiscard]] bool is() const;
    /// As T. Throws weft::TypeError if it is none, with what was expected and what is there.
    template <class T>
    [[nodiscard]] T get() const;

    /// The number of items, entries, members, characters' bytes or numbers. Throws weft::TypeError
    /// for what has none.
    [[nodiscard]] std::size_t size() const;
    /// An item of a tuple, list or array by its index (negative: from the end), or the value at a
    /// key of a dict, or an attribute of an object by its name. Throws `std::out_of_range` or
    /// weft::KeyError where there is none, and weft::TypeError for what has no parts. A key that is
    /// an object is found by its identity, or else by its parts, in linear time (dates, fractions
    /// and Decimals are found like numbers). Throws weft::PickleError as `==` does.
    [[nodiscard]] Value at(const Value& key) const;
    /// Whether a dict has the key, a set the member, an object the attribute, or a tuple or list an
    /// equal item.
    [[nodiscard]] bool contains(const Value& key) const;
    /// The items of a tuple, list, set or array, or the keys of a dict, in their order.
    [[nodiscard]] std::vector<Value> items() const;
    /// The values of a dict, in the order of its keys.
    [[nodiscard]] std::vector<Value> values() const;

    /// Of an object: what was called, with what; the state (None without), and what was appended or
    /// set afterwards by subclasses of list and dict. Of a global: `callable` is the global itself.
    [[nodiscard]] Value callable() const;
    [[nodiscard]] Value args() const;
    [[nodiscard]] Value kwargs() const;
    [[nodiscard]] Value state() const;
    [[nodiscard]] std::vector<Value> appended() const;
    [[nodiscard]] std::vector<std::pair<Value, Value>> entries() const;
    /// The module and the name of a global, or of an object's class.
    [[nodiscard]] std::string module_name() const;
    [[nodiscard]] std::string qualified_name() const;

    /// As Python writes it, cut with `...` behind about `limit` bytes. What holds itself is shown
    /// as `[...]`. Unlike Python, only control characters of ASCII and surrogates are escaped, and
    /// integers of more than 4000 bytes are hexadecimal.
    [[nodiscard]] std::string repr(std::size_t limit = 65536) const;

    /// Python's equality: 1, 1.0 and True are equal, a list and a tuple are not, the order of a
    /// dict's entries does not matter. Objects are equal when class, arguments and state are.
    /// A NaN equals nothing; a container always equals itself.
    /// Throws weft::PickleError when the values are nested too deep to be compared, or built so
    /// that it would take very long: in time in proportion to them, or 2**28 steps, it ends.
    friend bool operator==(const Value& left, const Value& right);

private:
    friend struct detail::ValueAccess;
    friend class detail::ValueSource;

    void make_natural(std::uint64_t value);

    detail::Item item_;
    detail::ArenaRef arena_;
};

}  // namespace weft::pickle
