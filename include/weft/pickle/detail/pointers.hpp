#pragma once

#include <cstddef>
#include <memory>
#include <type_traits>
#include <typeinfo>
#include <utility>

#include <weft/pickle/detail/codec.hpp>
#include <weft/pickle/detail/registry.hpp>

// What owns an object: None, or the object. Of a class with virtual functions it is the object's
// own class that travels, by its registered name.

namespace weft::pickle::detail {

/// The entry of the most derived class of an object; throws PicklingError if it has none.
WEFT_API const ClassEntry& entry_of_dynamic(const std::type_info& type);

/// The entry of the object that is next; null, with the reason noted, if there is none that can be
/// taken for `wanted`.
WEFT_API const ClassEntry* entry_of_next(ValueSource& source, const std::type_info& wanted);

template <class T>
inline constexpr bool is_own_codec_usable = !std::is_abstract_v<T> && is_picklable<T>;

template <class T>
void save_pointee(Writer& writer, const T& object) {
    if constexpr (std::is_polymorphic_v<T>) {
        const std::type_info& type = typeid(object);
        if constexpr (is_own_codec_usable<T>) {
            if (type == typeid(T)) return CodecOf<T>::save(writer, object);
        }
        entry_of_dynamic(type).save(writer, dynamic_cast<const void*>(&object));
    } else {
        CodecOf<T>::save(writer, object);
    }
}

template <class T>
constexpr bool pointee_is_early() {
    if constexpr (std::is_polymorphic_v<T>) {
        return true;
    } else {
        return CodecOf<T>::is_early;
    }
}

/// Whether the object that is next is of a class derived from T.
template <class T>
bool next_is_derived(ValueSource& source) {
    if constexpr (std::is_polymorphic_v<T>) {
        if constexpr (!is_own_codec_usable<T>) return true;
        const ClassEntry* own = class_entry<T>();
        return source.next_is_object() && (own == nullptr || !source.is_object_of(*own));
    }
    return false;
}

template <class Deleter, class T>
struct Codec<std::unique_ptr<T, Deleter>, Shape::unique_pointer> : Plain<kMixed> {
    using Pointer = std::unique_ptr<T, Deleter>;
    static_assert(std::is_same_v<Deleter, std::default_delete<T>>,
                  "Weft cannot pickle a unique_ptr with a deleter of its own, because it could not "
                  "make what the deleter expects.");
    static_assert(!std::is_array_v<T>,
                  "Weft cannot pickle a unique_ptr to an array: use std::vector.");
    static constexpr bool may_be_none = true;

    static void save(Writer& writer, const Pointer& pointer) {
        if (pointer == nullptr) return writer.op(Opcode::none);
        if constexpr (wraps()) writer.begin_tuple(1);
        save_pointee(writer, *pointer);
        if constexpr (wraps()) writer.end_tuple(1);
    }

    template <class Source>
    static bool load(Source& source, Pointer& pointer) {
        if constexpr (Source::is_wire && (std::is_polymorphic_v<T> || wraps())) {
            return false;
        } else {
            if (source.take_none()) {
                pointer.reset();
                return true;
            }
            typename Source::Frame frame;
            if (wraps() && !source.begin_tuple(1, frame)) return false;
            if constexpr (!Source::is_wire) {
                if (next_is_derived<T>(source)) return load_derived(source, pointer);
            }
            if constexpr (is_own_codec_usable<T>) {
                if (!may_make<T>(source)) return false;
                auto made = std::make_unique<T>();
                if (!CodecOf<T>::load(source, *made)) return false;
                pointer = std::move(made);
            }
            return !wraps() || source.end_tuple(1, frame);
        }
    }

private:
    static constexpr bool wraps() {
        if constexpr (std::is_polymorphic_v<T>) {
            return false;
        } else {
            return CodecOf<T>::may_be_none;
        }
    }

    static bool load_derived(ValueSource& source, Pointer& pointer) {
        static_assert(
            !std::is_polymorphic_v<T> || std::has_virtual_destructor_v<T>,
            "Weft cannot read a unique_ptr to a base without a virtual destructor: give it "
            "one.");
        const ClassEntry* entry = entry_of_next(source, typeid(T));
        if (entry == nullptr) return false;
        if (!source.may_copy(entry->size)) return false;
        void* object = entry->create();
        Pointer made(static_cast<T*>(entry->as(typeid(T), object)));
        if (!entry->load(source, object)) return false;
        pointer = std::move(made);
        return true;
    }
};

/// Objects shared by several pointers are written once, and shared again by those who read. Cycles
/// are possible through classes with named fields, lists and dicts.
template <class T>
struct Codec<std::shared_ptr<T>, Shape::shared_pointer> : Plain<kMixed> {
    using Pointer = std::shared_ptr<T>;
    using Object = std::remove_const_t<T>;
    static constexpr bool may_be_none = true;

    static void save(Writer& writer, const Pointer& pointer) {
        if (pointer == nullptr) return writer.op(Opcode::none);
        if constexpr (wraps()) writer.begin_tuple(1);
        save_object(writer, pointer);
        if constexpr (wraps()) writer.end_tuple(1);
    }

    template <class Source>
    static bool load(Source& source, Pointer& pointer) {
        if constexpr (Source::is_wire && (std::is_polymorphic_v<T> || wraps())) {
            return false;
        } else {
            if (source.take_none()) {
                pointer.reset();
                return true;
            }
            typename Source::Frame frame;
            if (wraps() && !source.begin_tuple(1, frame)) return false;
            return load_object(source, pointer) && (!wraps() || source.end_tuple(1, frame));
        }
    }

private:
    static constexpr bool wraps() {
        if constexpr (std::is_polymorphic_v<T>) {
            return false;
        } else {
            return CodecOf<Object>::may_be_none;
        }
    }

    static void save_object(Writer& writer, const Pointer& pointer) {
        // One owner alone: nobody else can be met. (Another thread may be giving up its share just
        // now, then what is written has a number that nobody asks for.)
        if (pointer.use_count() == 1)
            return save_pointee(writer, static_cast<const Object&>(*pointer));
        const void* object = pointer.get();
        const void* tag = &typeid(Object);
        if constexpr (std::is_polymorphic_v<T>) {
            // Through whichever base it is met, it is one object.
            object = dynamic_cast<const void*>(pointer.get());
            tag = &typeid(*pointer);
        }
        if (writer.begin_shared(object, tag, pointee_is_early<Object>())) return;
        save_pointee(writer, static_cast<const Object&>(*pointer));
        writer.end_shared(object, tag);
    }

    template <class Source>
    static bool load_object(Source& source, Pointer& pointer) {
        if constexpr (Source::is_wire) {
            if (source.is_reference()) return false;
            if (!may_make<Object>(source)) return false;
            auto made = std::make_shared<Object>();
            if (!CodecOf<Object>::load(source, *made)) return false;
            pointer = std::move(made);
            return true;
        } else {
            if (next_is_derived<Object>(source)) return load_derived(source, pointer);
            if constexpr (is_own_codec_usable<Object>) {
                std::shared_ptr<void> known;
                if (!source.find_shared(typeid(Object), known)) return false;
                if (known != nullptr) {
                    pointer = std::static_pointer_cast<T>(std::move(known));
                    source.skip();
                    return true;
                }
                if (!may_make<Object>(source)) return false;
                auto made = std::make_shared<Object>();
                const std::size_t number =
                    source.remember_shared(typeid(Object), made, reset_of<Object>());
                if (!CodecOf<Object>::load(source, *made)) return false;
                source.finish_shared(number);
                pointer = std::move(made);
            }
            return true;
        }
    }

    static bool load_derived(ValueSource& source, Pointer& pointer) {
        const ClassEntry* entry = entry_of_next(source, typeid(Object));
        if (entry == nullptr) return false;
        std::shared_ptr<void> whole;
        if (!source.find_shared(entry->type, whole)) return false;
        if (whole != nullptr) {
            source.skip();
        } else {
            if (!source.may_copy(entry->size)) return false;
            whole = entry->create_shared();
            const std::size_t number = source.remember_shared(entry->type, whole, entry->reset);
            if (!entry->load(source, whole.get())) return false;
            source.finish_shared(number);
        }
        auto* object = static_cast<T*>(entry->as(typeid(Object), whole.get()));
        pointer = Pointer(std::move(whole), object);
        return true;
    }
};

}  // namespace weft::pickle::detail
