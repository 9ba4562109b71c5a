#pragma once

#include <exception>
#include <string>
#include <string_view>
#include <typeinfo>

#include <weft/detail/config.hpp>

namespace weft::detail {

/// What can be said of an exception of any type.
struct ExceptionText {
    std::string type;     ///< the type's name as in the source; empty without an exception
    std::string message;  ///< what(), or nothing for what is not a std::exception

    /// `type: message`, or `type` alone.
    [[nodiscard]] std::string line() const;
};

/// The exception itself, without its causes.
ExceptionText describe(const std::exception_ptr& exception);

/// The exception and, after it, the causes that std::throw_with_nested() has attached: one line
/// each.
std::string describe_with_causes(const std::exception_ptr& exception);

/// The name of a type as in the source.
WEFT_API std::string demangle(const char* name);

/// Writes a whole message to standard error, in one piece where the system allows; errors are
/// passed over.
void write_to_stderr(std::string_view text) noexcept;

}  // namespace weft::detail
