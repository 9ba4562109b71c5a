#pragma once

#include <memory>
#include <string_view>
#include <type_traits>
#include <typeinfo>
#include <utility>

#include <weft/pickle/detail/codecs.hpp>
#include <weft/pickle/detail/registry.hpp>

namespace weft::pickle {

namespace detail {

template <class T>
void save_registered(Writer& writer, const void* object) {
    CodecOf<T>::save(writer, *static_cast<const T*>(object));
}

template <class T>
bool load_registered(ValueSource& source, void* object) {
    return CodecOf<T>::load(source, *static_cast<T*>(object));
}

template <class T>
void* create() {
    return std::make_unique<T>().release();
}

template <class T>
std::shared_ptr<void> create_shared() {
    return std::make_shared<T>();
}

template <class T>
void destroy(void* object) {
    std::default_delete<T>()(static_cast<T*>(object));
}

template <class T, class Base>
void* up(void* object) {
    return static_cast<Base*>(static_cast<T*>(object));
}

}  // namespace detail

/// From now on T travels as an object of the Python class `name` ("bank.Account"), and such objects
/// are read as T. A plain struct and a class with unnamed fields are what `bank.Account(*fields)`
/// gives; a class with named fields is an object with these attributes. T needs a default
/// constructor.
///
/// With bases given, a `unique_ptr` or `shared_ptr` to one of them can hold a T when it is written
/// or read:
///
///     pickle::register_class<Circle, Shape>("shapes.Circle");
///
/// Both sides register. Registering the same again does nothing; another class under the name, or
/// another name for the class, throws `std::invalid_argument`, as does a name without a module.
/// Any thread may call it at any time; what was registered stays.
template <class T, class... Bases>
void register_class(std::string_view name) {
    constexpr detail::Shape kShape = detail::shape_of<T>();
    static_assert(kShape == detail::Shape::user_class || kShape == detail::Shape::aggregate,
                  "Weft can give a name only to a plain struct or to a class with a function "
                  "serialize(archive, object).");
    static_assert((std::is_base_of_v<Bases, T> && ...),
                  "What follows the class in register_class must be its bases.");
    static_assert((std::is_polymorphic_v<Bases> && ...),
                  "A base in register_class needs a virtual function, by which the class of an "
                  "object can be told.");
    detail::ClassEntry entry;
    entry.type = typeid(T);
    entry.size = sizeof(T);
    entry.save = &detail::save_registered<T>;
    entry.create = &detail::create<T>;
    entry.create_shared = &detail::create_shared<T>;
    entry.destroy = &detail::destroy<T>;
    entry.reset = detail::reset_of<T>();
    entry.load = &detail::load_registered<T>;
    entry.bases = {detail::BaseCast{typeid(Bases), &detail::up<T, Bases>}...};
    detail::add_class(name, std::move(entry));
}

}  // namespace weft::pickle
