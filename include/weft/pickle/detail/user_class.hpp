#pragma once

#include <cstdint>
#include <limits>
#include <string_view>
#include <type_traits>
#include <utility>

#include <weft/pickle/archive.hpp>
#include <weft/pickle/detail/codec.hpp>
#include <weft/pickle/detail/registry.hpp>

// Classes with a function serialize(archive, object). How one travels:
//
//                    fields without names             fields with names
//     no name        (fields...)                      {name: field, ...}
//     registered     name(*fields)                    object of name with the attributes {...}
//
// Whether fields have names shows at the first of them, so nothing is written before.

namespace weft::pickle::detail {

template <class T>
struct FieldTraits {
    static constexpr bool is_named = false;
};
template <class T>
struct FieldTraits<NamedField<T>> {
    static constexpr bool is_named = true;
};

class WEFT_API ClassWriter {
public:
    ClassWriter(Writer& writer, const ClassEntry* entry) noexcept
        : writer_(writer), entry_(entry), early_(writer.defer_early_number()) {}
    ClassWriter(const ClassWriter&) = delete;
    ClassWriter& operator=(const ClassWriter&) = delete;

    void version(int current);
    template <class T>
    void write(const T& field) {
        begin_field(false);
        CodecOf<T>::save(writer_, field);
    }
    template <class T>
    void write(const NamedField<T>& field) {
        begin_field(true);
        writer_.lasting_text(field.name);
        CodecOf<T>::save(writer_, field.value);
    }
    void finish();

private:
    enum class Style { undecided, plain, named };

    void begin_field(bool is_named) {
        if (style_ != (is_named ? Style::named : Style::plain)) begin(is_named);
    }
    void begin(bool is_named);

    Writer& writer_;
    const ClassEntry* entry_;
    Writer::Early early_;
    Style style_ = Style::undecided;
    int version_ = 0;
};

/// Reads a class from what its type says is to come.
template <class Source>
class ClassReader {
public:
    ClassReader(Source& source, const ClassEntry* entry) : source_(source), entry_(entry) {}
    ClassReader(const ClassReader&) = delete;
    ClassReader& operator=(const ClassReader&) = delete;

    bool open() {
        is_good_ = Source::is_wire ? open_wire() : open_value();
        return is_good_;
    }

    int version(int current) {
        std::int64_t found = 0;
        if (!is_good_) return current;
        if (style_ == Style::plain || (style_ == Style::empty && entry_ == nullptr)) {
            is_good_ = source_.load_integer(found);
        } else if (style_ == Style::named) {
            typename Source::Frame inner;
            if (find(kVersionKey, inner)) {
                is_good_ = source_.load_integer(found);
                leave_entry(inner);
            }
        } else if constexpr (!Source::is_wire) {
            if (style_ == Style::undecided) {
                decide(source_.has_attributes());
                return version(current);
            }
        }
        if (is_good_ && (found < 0 || found > current)) {
            is_good_ = source_.fail("a version of the class that this program knows");
        }
        return is_good_ ? static_cast<int>(found) : current;
    }

    template <class T>
        requires(!FieldTraits<T>::is_named)
    void read(T& field) {
        if (style_ == Style::undecided) decide(false);
        if (!is_good_) return;
        is_good_ = (style_ == Style::plain || source_.fail("fields without names")) &&
                   CodecOf<T>::load(source_, field);
    }

    template <class T>
    void read(const NamedField<T>& field) {
        if (style_ == Style::undecided) decide(true);
        if (!is_good_) return;
        typename Source::Frame inner;
        if (style_ == Style::empty && entry_ != nullptr) return;
        if (style_ == Style::plain || style_ == Style::empty) {
            is_good_ = source_.fail("fields with names");
        } else if (find(field.name, inner)) {
            is_good_ = CodecOf<T>::load(source_, field.value);
            leave_entry(inner);
        }
    }

    bool close() {
        if (!is_good_) return false;
        if constexpr (Source::is_wire) {
            return close_wire();
        } else {
            if (style_ == Style::undecided) decide(false);
            if (!is_good_) return false;
            if (style_ == Style::plain && source_.has_more()) {
                return source_.fail("no more fields");
            }
            source_.leave(frame_);
            return true;
        }
    }

private:
    enum class Style { undecided, plain, named, empty };

    bool open_wire() {
        if constexpr (Source::is_wire) {
            if (entry_ != nullptr && !source_.take_name(entry_->module, entry_->qualified_name)) {
                return false;
            }
            switch (source_.peek()) {
                case Opcode::mark:
                    style_ = Style::plain;
                    return source_.begin_open_tuple(frame_);
                case Opcode::empty_dict:
                    style_ = Style::named;
                    return entry_ == nullptr && source_.begin_dict(frame_);
                case Opcode::empty_tuple: {
                    typename Source::Frame none;
                    if (!source_.begin_tuple(0, none) || !source_.end_tuple(0, none)) return false;
                    style_ = Style::empty;
                    if (entry_ == nullptr) return true;
                    if (source_.take_reduce()) return true;
                    style_ = Style::named;
                    return source_.take_newobj() && source_.begin_dict(frame_);
                }
                default:
                    return false;
            }
        }
        return false;
    }

    bool close_wire() {
        if constexpr (Source::is_wire) {
            if (style_ == Style::empty) return true;
            if (style_ == Style::named) {
                if (source_.next_entry(frame_)) return false;
                source_.leave(frame_);
                return entry_ == nullptr || source_.take_build();
            }
            return source_.end_open_tuple(frame_) && (entry_ == nullptr || source_.take_reduce());
        }
        return false;
    }

    bool open_value() {
        if constexpr (!Source::is_wire) {
            if (entry_ != nullptr && source_.is_object_of(*entry_)) return true;  // see decide()
            switch (source_.peek_kind()) {
                case Kind::dict:
                    style_ = Style::named;
                    return source_.begin_dict(frame_);
                case Kind::tuple:
                case Kind::list:
                    style_ = Style::plain;
                    return source_.begin_open_tuple(frame_);
                default:
                    return source_.fail(entry_ != nullptr ? entry_->qualified_name.c_str()
                                                          : "the fields of a class");
            }
        }
        return false;
    }

    /// An object is looked at as what the first call of serialize() takes it for.
    void decide(bool is_named) {
        if constexpr (!Source::is_wire) {
            style_ = is_named ? Style::named : Style::plain;
            is_good_ = is_good_ && (is_named ? source_.begin_object_entries(frame_)
                                             : source_.begin_object_items(frame_));
        }
    }

    bool find(const char* name, typename Source::Frame& inner) {
        if constexpr (Source::is_wire) {
            // In the order they were written in, or not here.
            is_good_ = source_.next_entry(frame_) && source_.take_text(name);
            return is_good_;
        } else {
            return source_.find_entry(name, inner);
        }
    }

    void leave_entry(const typename Source::Frame& inner) {
        if constexpr (!Source::is_wire) {
            if (is_good_) source_.leave_entry(inner);
        }
    }

    Source& source_;
    const ClassEntry* entry_;
    Style style_ = Style::undecided;
    bool is_good_ = true;
    typename Source::Frame frame_;
};

template <class T>
struct Codec<T, Shape::user_class> : Plain<Kind::object> {
    static constexpr bool is_early = true;

    static void save(Writer& writer, const T& object) {
        ClassWriter state(writer, class_entry<T>());
        SaveArchive archive(state);
        // One function serves both directions; this one only reads.
        serialize(archive, const_cast<T&>(object));
        state.finish();
    }

    template <class Source>
    static bool load(Source& source, T& object) {
        ClassReader<Source> state(source, class_entry<T>());
        if (!state.open()) return false;
        LoadArchive<Source> archive(state);
        serialize(archive, object);
        return state.close();
    }
};

}  // namespace weft::pickle::detail

namespace weft::pickle {

template <class... Fields>
void SaveArchive::operator()(const Fields&... fields) {
    (writer_.write(fields), ...);
}

template <class Source>
template <class... Fields>
void LoadArchive<Source>::operator()(Fields&&... fields) {
    (reader_.read(fields), ...);
}

template <class Source>
int LoadArchive<Source>::version(int current) {
    return reader_.version(current);
}

}  // namespace weft::pickle
