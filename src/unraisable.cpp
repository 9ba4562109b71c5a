#include <weft/unraisable.hpp>

#include <utility>

#include "detail/describe.hpp"
#include "detail/fmt.hpp"
#include "os/posix/cancellation.hpp"

namespace weft {

namespace {

/// Python's two lines, without what is not known.
void write_unraisable(const UnraisableHookArgs& args) {
    std::string text = args.err_msg;
    if (text.empty()) text = args.object.empty() ? "Exception ignored" : "Exception ignored in";
    if (!args.object.empty()) text += ": " + args.object;
    if (args.exc_value != nullptr) {
        text += (args.object.empty() ? ":\n" : "\n") + detail::describe_with_causes(args.exc_value);
    }
    detail::write_to_stderr(text + "\n");
}

struct Warning {
    WarningCategory category;
    std::string_view message;
};

void write_warning(const Warning& warning) {
    detail::write_to_stderr(
        fmt::format("weft: {}: {}\n", name_of(warning.category), warning.message));
}

constinit detail::NeverDestroyed<detail::Hook<Warning>> warning_hook{write_warning};

}  // namespace

namespace detail {

constinit NeverDestroyed<UnraisableHook> global_unraisablehook{write_unraisable};
constinit NeverDestroyed<const UnraisableHook> global_original_unraisablehook{write_unraisable};

void report_unraisable(const UnraisableHookArgs& args) noexcept {
    // Forced unwinding must not leave the hook: it cannot be caught here, nor pass.
    const os::WithoutCancellation whole;
    try {
        try {
            unraisablehook(args);
        } catch (...) {
            write_unraisable(
                {std::current_exception(), "Exception in unraisablehook, called for", args.object});
            write_unraisable(args);
        }
    } catch (...) {
        write_to_stderr("weft: an exception was ignored, and no memory was left to describe it\n");
    }
}

void warn(WarningCategory category, std::string_view message) {
    warning_hook.value({category, message});
}

}  // namespace detail

WarningHandler set_warning_handler(WarningHandler handler) {
    std::function<void(const Warning&)> function;
    if (handler) {
        function = [handler = std::move(handler)](const Warning& warning) {
            handler(warning.category, warning.message);
        };
    }
    const auto before = warning_hook.value.exchange(std::move(function));
    if (before.is_original()) return {};
    return [before](WarningCategory category, std::string_view message) {
        before({category, message});
    };
}

std::string UnraisableHookArgs::what() const {
    return detail::describe(exc_value).line();
}

const char* name_of(WarningCategory category) noexcept {
    switch (category) {
        case WarningCategory::DeprecationWarning:
            return "DeprecationWarning";
        case WarningCategory::ResourceWarning:
            return "ResourceWarning";
        case WarningCategory::RuntimeWarning:
            return "RuntimeWarning";
        case WarningCategory::UserWarning:
            return "UserWarning";
    }
    return "Warning";
}

}  // namespace weft
