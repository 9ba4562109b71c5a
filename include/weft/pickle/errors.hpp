#pragma once

#include <cstddef>
#include <string>

#include <weft/detail/config.hpp>
#include <weft/errors.hpp>

namespace weft::pickle {

/// What both directions throw: the base of the two below.
class WEFT_API PickleError : public Exception {
public:
    using Exception::Exception;
    ~PickleError() override;
};

/// A value that cannot be pickled: a cycle through something that Python cannot make cyclic, a type
/// that needs a registered name and has none, or more depth than allowed. Nothing was written.
class WEFT_API PicklingError : public PickleError {
public:
    using PickleError::PickleError;
    ~PicklingError() override;
};

/// Bytes that are no pickle, or that do not hold what was asked for.
class WEFT_API UnpicklingError : public PickleError {
public:
    /// The message is put together as `what (OPCODE at byte N)`.
    UnpicklingError(const std::string& what, std::size_t offset, int opcode);
    ~UnpicklingError() override;

    /// Where the opcode lies that could not be followed, counted from the first byte.
    [[nodiscard]] std::size_t offset() const noexcept { return offset_; }
    /// That opcode, 0 to 255; -1 when the bytes ended where one was due.
    [[nodiscard]] int opcode() const noexcept { return opcode_; }

private:
    std::size_t offset_;
    int opcode_;
};

}  // namespace weft::pickle
