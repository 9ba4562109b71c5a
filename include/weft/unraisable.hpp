#pragma once

#include <exception>
#include <functional>
#include <string>
#include <string_view>

#include <weft/detail/config.hpp>
#include <weft/detail/hook.hpp>

namespace weft {

/// An exception that could not be thrown to anybody: from a destructor, a callback, a thread's end.
struct UnraisableHookArgs {
    std::exception_ptr exc_value{};  ///< the exception; may be null
    std::string err_msg{};           ///< what was being done; empty for "Exception ignored in"
    std::string object{};            ///< in what it happened; may be empty

    /// The exception's type and message, as `type: message`; empty without one.
    [[nodiscard]] WEFT_API std::string what() const;
};

using UnraisableHook = detail::Hook<UnraisableHookArgs>;

namespace detail {
WEFT_API extern constinit NeverDestroyed<UnraisableHook> global_unraisablehook;
WEFT_API extern constinit NeverDestroyed<const UnraisableHook> global_original_unraisablehook;

/// Hands an exception to unraisablehook. If the hook itself throws, the original hook reports that
/// and the exception. Never throws.
WEFT_API void report_unraisable(const UnraisableHookArgs& args) noexcept;
}  // namespace detail

/// Called with every exception that cannot be thrown to anybody: Python's `sys.unraisablehook`.
/// Assign to replace it, copy to remember what was set; any thread may do so at any time. The
/// original writes `Exception ignored in: OBJECT` and the exception to standard error, in one
/// write. A pthread_cancel() of the thread is held back while it runs; it must not call
/// pthread_exit().
inline constinit UnraisableHook& unraisablehook = detail::global_unraisablehook.value;

/// What unraisablehook is at the start, whatever was assigned since: Python's `__unraisablehook__`.
inline constinit const UnraisableHook& original_unraisablehook =
    detail::global_original_unraisablehook.value;

/// What kind of warning Weft gives, by Python's names.
enum class WarningCategory { DeprecationWarning, ResourceWarning, RuntimeWarning, UserWarning };

/// `RuntimeWarning` and so on; static storage.
[[nodiscard]] WEFT_API const char* name_of(WarningCategory category) noexcept;

/// What is called with every warning. May be called by several threads at once; what it throws is
/// thrown to whoever caused the warning.
using WarningHandler = std::function<void(WarningCategory category, std::string_view message)>;

/// Replaces the handler and returns the one before; an empty one means the original, which writes
/// one line to standard error. Any thread may call it at any time.
WEFT_API WarningHandler set_warning_handler(WarningHandler handler);

namespace detail {
/// Gives a warning. Throws what the handler throws.
WEFT_API void warn(WarningCategory category, std::string_view message);
}  // namespace detail

}  // namespace weft
