#include "detail/describe.hpp"

#include <cxxabi.h>

#include <cstdlib>
#include <memory>

#include <weft/errors.hpp>

#include "os/posix/standard_error.hpp"

namespace weft::detail {

namespace {

/// What std::throw_with_nested() throws is of a type of the standard library's own, made from the
/// one that was given to it. Only that one stands in the source.
std::string without_wrapper(std::string name) {
    for (const std::string_view wrapper : {"std::_Nested_exception<", "std::__1::__nested<"}) {
        if (!name.starts_with(wrapper) || !name.ends_with('>')) continue;
        name = name.substr(wrapper.size(), name.size() - wrapper.size() - 1);
        while (name.ends_with(' ')) name.pop_back();
        constexpr std::string_view kConst = " const";
        if (name.ends_with(kConst)) name.resize(name.size() - kConst.size());
    }
    return name;
}

std::string name_of_current_exception() {
    const std::type_info* const type = abi::__cxa_current_exception_type();
    return type != nullptr ? without_wrapper(demangle(type->name())) : "unknown exception";
}

/// The exception that `exception` was thrown because of; null without one.
std::exception_ptr cause_of(const std::exception_ptr& exception) {
    try {
        std::rethrow_exception(exception);
    } catch (const std::nested_exception& nested) {
        return nested.nested_ptr();
    } catch (...) {
        return nullptr;
    }
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
        return {without_wrapper(demangle(typeid(error).name())), error.what()};
    } catch (...) {
        return {name_of_current_exception(), {}};
    }
}

std::string describe_with_causes(const std::exception_ptr& exception) {
    constexpr int kMostCauses = 32;
    std::string text = describe(exception).line();
    std::exception_ptr current = exception;
    for (int depth = 0; current != nullptr && depth < kMostCauses; ++depth) {
        current = cause_of(current);
        if (current != nullptr) text += "\n  caused by " + describe(current).line();
    }
    return text;
}

void write_to_stderr(std::string_view text) noexcept {
    os::write_to_standard_error(text);
}

}  // namespace weft::detail
