#pragma once

#include <concepts>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <typeindex>
#include <typeinfo>
#include <utility>
#include <vector>

#include <weft/detail/config.hpp>
#include <weft/errors.hpp>
#include <weft/pickle/detail/user_class.hpp>
#include <weft/pickle/functions.hpp>
#include <weft/pickle/value.hpp>

namespace weft::pickle {

/// An exception of another process: what arrives for a type that is not registered here, and what
/// is nested in one that is (`std::rethrow_if_nested`, remote_of()). The exception that caused it
/// there is nested in it in turn.
class WEFT_API RemoteError : public Exception {
public:
    RemoteError(std::string type, std::string message, std::string trace);
    ~RemoteError() override;

    /// The type as it is called there: `bank::NoFunds`, or `bank.NoFunds` in Python.
    [[nodiscard]] const std::string& type() const noexcept { return parts_->type; }
    /// Its message there; what() gives `type: message`.
    [[nodiscard]] const std::string& message() const noexcept { return parts_->message; }
    /// Python's traceback, or the exception and its causes, one a line.
    [[nodiscard]] const std::string& trace() const noexcept { return parts_->trace; }

private:
    struct Parts {
        std::string type;
        std::string message;
        std::string trace;
    };
    std::shared_ptr<const Parts> parts_;
};

/// What is known of an exception's origin, if it came from another process.
[[nodiscard]] WEFT_API std::optional<RemoteError> remote_of(const std::exception_ptr& exception);

namespace detail {

struct ExceptionEntry {
    std::string module;
    std::string qualified_name;
    std::type_index type = typeid(void);
    /// Whether it is of this very type, or that with another nested in it.
    bool (*is_this)(const std::exception&) = nullptr;
    /// Writes its arguments: a tuple.
    void (*save)(Writer&, const std::exception&) = nullptr;
    /// The exception with these arguments and `nested` in it.
    std::exception_ptr (*make)(ValueSource& source, const Value& args, const std::string& message,
                               const std::exception_ptr& nested) = nullptr;
};

WEFT_API void add_exception(std::string_view name, ExceptionEntry entry);
WEFT_API void save_exception(Writer& writer, const std::exception_ptr& exception);
/// False, with the reason noted, for what is neither None nor an exception.
WEFT_API bool load_exception(ValueSource& source, std::exception_ptr& exception);

template <class E>
std::exception_ptr nest(E exception, const std::exception_ptr& nested) {
    if (nested == nullptr) return std::make_exception_ptr(std::move(exception));
    try {
        try {
            std::rethrow_exception(nested);
        } catch (...) {
            std::throw_with_nested(std::move(exception));
        }
    } catch (...) {
        return std::current_exception();
    }
}

template <class E>
bool is_exactly(const std::exception& exception) {
    if (typeid(exception) == typeid(E)) return true;
    const auto* as_this = dynamic_cast<const E*>(&exception);
    if (as_this == nullptr || dynamic_cast<const std::nested_exception*>(&exception) == nullptr) {
        return false;
    }
    // What the standard library makes of an E with another in it has no name: make one and see.
    try {
        std::throw_with_nested(E(*as_this));
    } catch (const std::exception& made) {
        return typeid(made) == typeid(exception);
    }
}

template <class E>
void save_exception_args(Writer& writer, const std::exception& exception) {
    if constexpr (has_serialize<E>) {
        ClassWriter fields(writer, nullptr);
        SaveArchive archive(fields);
        serialize(archive, const_cast<E&>(dynamic_cast<const E&>(exception)));
        fields.finish();
    } else {
        writer.begin_tuple(1);
        writer.text(exception.what());
        writer.end_tuple(1);
    }
}

/// Reads a part of what `source` reads, within its limits. Throws weft::TypeError if it is no T.
template <class T>
T part_as(ValueSource& source, const Value& value) {
    ValueSource part(value, source.limits(), 0);
    T object{};
    const bool is_loaded = CodecOf<T>::load(part, object);
    source.take_limits(part);
    if (!is_loaded) throw_not_a(part);
    part.keep();
    return object;
}

/// Reads the fields of an exception; throws weft::TypeError if they do not fit.
template <class E>
E exception_from(ValueSource& source, const Value& args, const std::string& message) {
    if constexpr (has_serialize<E>) {
        return part_as<E>(source, args);
    } else if constexpr (std::constructible_from<E, const std::string&>) {
        return E(message);
    } else if constexpr (std::constructible_from<E, const char*>) {
        return E(message.c_str());
    } else {
        return E();
    }
}

template <class E>
std::exception_ptr make_exception(ValueSource& source, const Value& args,
                                  const std::string& message, const std::exception_ptr& nested) {
    return nest(exception_from<E>(source, args, message), nested);
}

template <class T>
struct Codec<T, Shape::exception> : Plain<kMixed> {
    static constexpr bool may_be_none = true;
    static void save(Writer& writer, const std::exception_ptr& exception) {
        save_exception(writer, exception);
    }
    template <class Source>
    static bool load(Source& source, std::exception_ptr& exception) {
        if constexpr (Source::is_wire) {
            return false;
        } else {
            return load_exception(source, exception);
        }
    }
};

}  // namespace detail

/// From now on an E in a `std::exception_ptr` travels as Python's exception `name`
/// ("bank.NoFunds"), and such exceptions are read as E, with a RemoteError nested in it. E derives
/// from `std::exception`. Its arguments in Python are the fields that its `serialize(archive,
/// object)` takes (none of them with a name; E then needs a default constructor), or its message,
/// from which it is made again.
///
/// The homes of Python's exceptions in C++ (see <weft/errors.hpp>) are registered. An exception of
/// a type that is not arrives as RemoteError, in Python as multiprocessing.managers.RemoteError.
/// Registering again and conflicts are as with register_class().
template <class E>
void register_exception(std::string_view name) {
    static_assert(std::derived_from<E, std::exception>,
                  "Weft can register only exceptions that derive from std::exception.");
    static_assert(!std::is_final_v<E>,
                  "Weft cannot register a final exception, because what is known of its origin is "
                  "nested in it.");
    static_assert(!detail::has_serialize<E> || std::default_initializable<E>,
                  "Weft cannot make such an exception again: with a function serialize(archive, "
                  "object) it needs a constructor without arguments.");
    static_assert(detail::has_serialize<E> || std::constructible_from<E, const std::string&> ||
                      std::constructible_from<E, const char*> || std::default_initializable<E>,
                  "Weft cannot make such an exception again: give it a constructor that takes the "
                  "message, or a function serialize(archive, object).");
    detail::ExceptionEntry entry;
    entry.type = typeid(E);
    entry.is_this = &detail::is_exactly<E>;
    entry.save = &detail::save_exception_args<E>;
    entry.make = &detail::make_exception<E>;
    detail::add_exception(name, std::move(entry));
}

}  // namespace weft::pickle
