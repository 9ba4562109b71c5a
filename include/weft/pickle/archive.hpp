#pragma once

#include <concepts>
#include <string_view>
#include <type_traits>
#include <utility>

#include <weft/detail/config.hpp>
#include <weft/pickle/detail/writer.hpp>

namespace weft::pickle {

namespace detail {

template <class Source>
class ClassReader;
class ClassWriter;

inline constexpr char kVersionKey[] = "__version__";

}  // namespace detail

/// The name of a field: a string literal.
class FieldName {
public:
    consteval FieldName(const char* literal) noexcept : text_(literal) {}
    [[nodiscard]] constexpr const char* c_str() const noexcept { return text_; }

private:
    const char* text_;
};

/// A field with the name of its attribute in Python.
template <class T>
struct NamedField {
    const char* name;
    T& value;
};

/// `archive(field("id", a.id), field("owner", a.owner))`: a class all of whose fields are named
/// travels as a dict, and under a registered name as an object with these attributes, which a
/// Python class needs no method to take.
template <class T>
[[nodiscard]] NamedField<T> field(FieldName name, T& value) noexcept {
    return {name.c_str(), value};
}

/// What `serialize(archive, object)` gets when the object is written. Not made by users.
class WEFT_API SaveArchive {
public:
    static constexpr bool is_loading = false;

    explicit SaveArchive(detail::ClassWriter& writer) noexcept : writer_(writer) {}
    SaveArchive(const SaveArchive&) = delete;
    SaveArchive& operator=(const SaveArchive&) = delete;

    /// Writes the fields in order: all of them named, or none. Throws PicklingError for a mixture,
    /// and what pickling a field throws.
    template <class... Fields>
    void operator()(const Fields&... fields);

    /// To be called before any field: notes that these are the fields of version `current`, and
    /// returns it.
    int version(int current);

private:
    detail::ClassWriter& writer_;
};

/// What `serialize(archive, object)` gets when the object is read. Not made by users. When the
/// pickle turns out not to fit, the fields that are left keep the values they have, and the reading
/// fails after serialize() has returned.
template <class Source>
class LoadArchive {
public:
    static constexpr bool is_loading = true;

    explicit LoadArchive(detail::ClassReader<Source>& reader) noexcept : reader_(reader) {}
    LoadArchive(const LoadArchive&) = delete;
    LoadArchive& operator=(const LoadArchive&) = delete;

    /// Reads the fields. A named field that is not there keeps its value; names that nobody asks
    /// for are passed over.
    template <class... Fields>
    void operator()(Fields&&... fields);

    /// The version of the fields that come: 0 when the writer noted none. One above `current` makes
    /// the reading fail, because what the fields mean is not known.
    [[nodiscard]] int version(int current);

private:
    detail::ClassReader<Source>& reader_;
};

}  // namespace weft::pickle
