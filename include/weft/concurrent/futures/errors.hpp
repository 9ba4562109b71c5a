#pragma once

#include <stdexcept>
#include <string>

#include <weft/detail/config.hpp>
#include <weft/errors.hpp>

namespace weft::concurrent::futures {

/// The root of this package's own exceptions.
class WEFT_API Error : public Exception {
public:
    using Exception::Exception;
    ~Error() override;
};

/// Thrown to whoever asks for the outcome of a call that was cancelled.
class WEFT_API CancelledError : public Error {
public:
    using Error::Error;
    ~CancelledError() override;
};

/// An operation that the future's state does not allow: a second result, a result that was taken.
class WEFT_API InvalidStateError : public Error {
public:
    using Error::Error;
    ~InvalidStateError() override;
};

/// The executor cannot run tasks any more. The base of each executor's own.
class WEFT_API BrokenExecutor : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
    ~BrokenExecutor() override;
};

/// Thrown where a limit of time has passed.
using weft::TimeoutError;

}  // namespace weft::concurrent::futures
