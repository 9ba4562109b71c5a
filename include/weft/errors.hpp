#pragma once

#include <exception>
#include <memory>
#include <stdexcept>
#include <string>
#include <system_error>
#include <variant>

#include <weft/detail/config.hpp>

/// Where Python's exceptions live in C++. What the standard library has is used as it is; the rest
/// is here. Each module's own exceptions derive from these as Python's derive from its.
///
/// | Python | C++ |
/// | --- | --- |
/// | AssertionError | `std::logic_error` |
/// | BaseException | `weft::BaseException` |
/// | BufferError | `weft::BufferError` |
/// | EOFError | `weft::EOFError` |
/// | Exception | `weft::Exception`, and every `std::exception` that is not a BaseException |
/// | IndexError | `std::out_of_range` |
/// | KeyboardInterrupt | `weft::KeyboardInterrupt` |
/// | KeyError | `weft::KeyError` |
/// | LookupError | `weft::LookupError` |
/// | MemoryError | `std::bad_alloc` |
/// | NotImplementedError | `weft::NotImplementedError` |
/// | OSError | `std::system_error`; FileNotFoundError and its like are told by the code |
/// | OverflowError | `std::overflow_error` |
/// | RuntimeError | `std::runtime_error` |
/// | SystemExit | `weft::SystemExit` |
/// | TimeoutError | `weft::TimeoutError` |
/// | TypeError | `weft::TypeError` |
/// | ValueError | `std::invalid_argument` |
///
/// Unlike Python, `std::runtime_error` also catches OverflowError and OSError, and
/// `std::logic_error` also catches ValueError and IndexError, because the standard derives them so;
/// and `std::exception` catches everything, BaseException included.
namespace weft {

/// The root of Weft's own exceptions: a message, shared by all copies, so that copying never
/// throws.
class WEFT_API BaseException : public std::exception {
public:
    BaseException() : BaseException(std::string()) {}
    explicit BaseException(std::string message);
    BaseException(const BaseException&) noexcept = default;
    BaseException& operator=(const BaseException&) noexcept = default;
    ~BaseException() override;

    [[nodiscard]] const char* what() const noexcept override;

private:
    std::shared_ptr<const std::string> message_;
};

/// What programs usually catch: everything but SystemExit and KeyboardInterrupt.
class WEFT_API Exception : public BaseException {
public:
    using BaseException::BaseException;
    ~Exception() override;
};

/// A key or an index that is not there.
class WEFT_API LookupError : public Exception {
public:
    using Exception::Exception;
    ~LookupError() override;
};

/// A key that is not in a mapping.
class WEFT_API KeyError : public LookupError {
public:
    using LookupError::LookupError;
    ~KeyError() override;
};

/// A value of the wrong type, where C++ could not tell at compile time.
class WEFT_API TypeError : public Exception {
public:
    using Exception::Exception;
    ~TypeError() override;
};

/// The other side has closed, and there is nothing more to read.
class WEFT_API EOFError : public Exception {
public:
    using Exception::Exception;
    ~EOFError() override;
};

/// An operation on a buffer that cannot be done, such as resizing one that is in use.
class WEFT_API BufferError : public Exception {
public:
    using Exception::Exception;
    ~BufferError() override;
};

/// A wait that ended because its stop token was triggered. What was waited for was not taken.
/// Python has none: there, a wait cannot be cancelled.
class WEFT_API Cancelled : public Exception {
public:
    using Exception::Exception;
    ~Cancelled() override;
};

/// A limit of time that has passed, where the result is a value that cannot be given. As in Python
/// it is an OSError: its code is `std::errc::timed_out`.
class WEFT_API TimeoutError : public std::system_error {
public:
    explicit TimeoutError(const std::string& message = "timed out");
    ~TimeoutError() override;

    /// The message alone, without the text of the code that std::system_error adds.
    [[nodiscard]] const char* what() const noexcept override;

private:
    std::shared_ptr<const std::string> message_;
};

/// A member that a derived class has to provide, and does not.
class WEFT_API NotImplementedError : public std::runtime_error {
public:
    explicit NotImplementedError(const std::string& message);
    ~NotImplementedError() override;
};

/// Asks the thread to end, and the program if it is the main thread. Ends a thread silently.
class WEFT_API SystemExit : public BaseException {
public:
    /// Nothing (success), a status, or a message for standard error (status 1).
    using Code = std::variant<std::monostate, int, std::string>;

    SystemExit() : SystemExit(Code()) {}
    explicit SystemExit(Code code);
    ~SystemExit() override;

    [[nodiscard]] const Code& code() const noexcept { return *code_; }
    /// The status that the program is to end with: 0 for none, 1 for a message.
    [[nodiscard]] int status() const noexcept;

private:
    std::shared_ptr<const Code> code_;
};

/// Ctrl-C, thrown from the main thread's waits while a KeyboardInterruptGuard lives.
class WEFT_API KeyboardInterrupt : public BaseException {
public:
    using BaseException::BaseException;
    ~KeyboardInterrupt() override;
};

}  // namespace weft
