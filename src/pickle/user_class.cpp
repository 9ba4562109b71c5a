#include <weft/pickle/detail/user_class.hpp>

#include <stdexcept>

#include <weft/pickle/errors.hpp>

#include "detail/fmt.hpp"

namespace weft::pickle {

int SaveArchive::version(int current) {
    writer_.version(current);
    return current;
}

}  // namespace weft::pickle

namespace weft::pickle::detail {

void ClassWriter::version(int current) {
    if (current <= 0) {
        throw std::invalid_argument(fmt::format("version {}: versions begin with 1", current));
    }
    if (style_ != Style::undecided) {
        throw PicklingError("archive.version() has to come before the fields");
    }
    version_ = current;
}

void ClassWriter::begin(bool is_named) {
    if (style_ != Style::undecided) {
        throw PicklingError(
            "serialize() names some of its fields and not others: name all or none");
    }
    style_ = is_named ? Style::named : Style::plain;
    writer_.deeper();
    if (entry_ != nullptr) writer_.global(*entry_);
    if (!is_named) {
        writer_.op(Opcode::mark);
        if (version_ > 0) writer_.integer(version_);
        return;
    }
    if (entry_ != nullptr) {
        writer_.op(Opcode::empty_tuple);
        writer_.op(Opcode::newobj);
        writer_.give_number(early_);
        writer_.op(Opcode::empty_dict);
    } else {
        writer_.op(Opcode::empty_dict);
        writer_.give_number(early_);
    }
    writer_.op(Opcode::mark);
    if (version_ > 0) {
        writer_.lasting_text(kVersionKey);
        writer_.integer(version_);
    }
}

void ClassWriter::finish() {
    if (style_ == Style::undecided) {
        if (version_ > 0) {
            begin(false);
        } else {
            if (entry_ != nullptr) writer_.global(*entry_);
            writer_.op(Opcode::empty_tuple);
            if (entry_ != nullptr) writer_.op(Opcode::reduce);
            return;
        }
    }
    writer_.shallower();
    if (style_ == Style::plain) {
        writer_.op(Opcode::tuple);
        if (entry_ != nullptr) writer_.op(Opcode::reduce);
        return;
    }
    writer_.op(Opcode::setitems);
    if (entry_ != nullptr) writer_.op(Opcode::build);
}

}  // namespace weft::pickle::detail
