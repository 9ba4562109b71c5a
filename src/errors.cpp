#include <weft/errors.hpp>

#include <utility>

namespace weft {

namespace {

std::string message_of(const SystemExit::Code& code) {
    if (const int* status = std::get_if<int>(&code)) return std::to_string(*status);
    if (const std::string* message = std::get_if<std::string>(&code)) return *message;
    return {};
}

}  // namespace

BaseException::BaseException(std::string message)
    : message_(std::make_shared<const std::string>(std::move(message))) {}

const char* BaseException::what() const noexcept {
    return message_->c_str();
}

TimeoutError::TimeoutError(const std::string& message)
    : std::system_error(std::make_error_code(std::errc::timed_out)),
      message_(std::make_shared<const std::string>(message)) {}

const char* TimeoutError::what() const noexcept {
    return message_->c_str();
}

NotImplementedError::NotImplementedError(const std::string& message)
    : std::runtime_error(message) {}

SystemExit::SystemExit(Code code)
    : BaseException(message_of(code)), code_(std::make_shared<const Code>(std::move(code))) {}

int SystemExit::status() const noexcept {
    if (const int* status = std::get_if<int>(code_.get())) return *status;
    return std::holds_alternative<std::monostate>(*code_) ? 0 : 1;
}

// Out of line, so that each class has one type_info, in the library, by which it can be caught
// everywhere.
BaseException::~BaseException() = default;
Exception::~Exception() = default;
LookupError::~LookupError() = default;
KeyError::~KeyError() = default;
TypeError::~TypeError() = default;
EOFError::~EOFError() = default;
BufferError::~BufferError() = default;
Cancelled::~Cancelled() = default;
TimeoutError::~TimeoutError() = default;
NotImplementedError::~NotImplementedError() = default;
SystemExit::~SystemExit() = default;
KeyboardInterrupt::~KeyboardInterrupt() = default;

}  // namespace weft
