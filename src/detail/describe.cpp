#include "detail/describe.hpp"

#include <cxxabi.h>

#include <cstdlib>
#include <memory>

#include <weft/errors.hpp>

#include "os/posix/standard_error.hpp"

namespace weft::detail {

namespace {

std::string name_of_current_exception() {
    const std::type_info* const type = abi::__cxa_current_exception_type();
    return type != nullptr ? demangle(type->name()) : "unknown exception";
}

/// The cause attached to the exception that is being handled; null without one.
std::exception_ptr cause_of(const std::exception& exception) {
    const auto* const nested = dynamic_cast<const std::nested_exception*>(&exception);
    return nested != nullptr ? nested->nested_ptr() : nullptr;
}

}  // namespace

std::string ExceptionText::line() const {
    return message.empty() ? type : type + ": " + message;
}

std::string demangle(const char* name) {
    int status = 0;
    const std::unique_ptr<char, void (*)(void*)> text(
        abi::__cxa_demangle(name, nullptr, nullptr, &status), std::free);
    return status == 0 ? text.get() : name;
}

ExceptionText describe(const std::exception_ptr& exception) {
    if (exception == nullptr) return {};
    try {
        std::rethrow_exception(exception);
    } catch (const std::exception& error) {
        return {demangle(typeid(error).name()), error.what()};
    } catch (...) {
        return {name_of_current_exception(), {}};
    }
}

std::string describe_with_causes(const std::exception_ptr& exception) {
    constexpr int kMostCauses = 32;
    std::string text = describe(exception).line();
    std::exception_ptr current = exception;
    for (int depth = 0; current != nullptr && depth < kMostCauses; ++depth) {
        try {
            std::rethrow_exception(current);
        } catch (const std::exception& error) {
            current = cause_of(error);
        } catch (...) {
            current = nullptr;
        }
        if (current != nullptr) text += "\n  caused by " + describe(current).line();
    }
    return text;
}

void write_to_stderr(std::string_view text) noexcept { os::write_to_standard_error(text); }

}  // namespace weft::detail
