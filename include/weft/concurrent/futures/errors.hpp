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

/// A wait that would never end: the task that waits is, over one or more others, what it waits for.
/// The message names them. Python has none: there, such tasks hang.
class WEFT_API DeadlockError : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
    ~DeadlockError() override;
};

namespace thread {

/// A worker's initializer has thrown; nothing that was waiting, or is submitted later, can run.
class WEFT_API BrokenThreadPool : public BrokenExecutor {
public:
    using BrokenExecutor::BrokenExecutor;
    ~BrokenThreadPool() override;
};

}  // namespace thread

/// Thrown where a limit of time has passed.
using weft::TimeoutError;

}  // namespace weft::concurrent::futures
