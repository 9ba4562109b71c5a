#pragma once

#include <exception>
#include <optional>
#include <string>

#include <weft/detail/config.hpp>
#include <weft/detail/hook.hpp>
#include <weft/threading/thread.hpp>

namespace weft::threading {

/// What excepthook is called with: an exception that has left a thread's target.
///
/// Unlike Python there is no exc_traceback: a C++ exception does not keep the stack that it left.
struct ExceptHookArgs {
    std::string exc_type;          ///< the exception's type, as in the source
    std::exception_ptr exc_value;  ///< the exception; may be null
    std::optional<Thread> thread;  ///< in which thread; empty if that is not known

    /// The exception's type and message, as `type: message`.
    [[nodiscard]] WEFT_API std::string what() const;
};

using ExceptHook = weft::detail::Hook<ExceptHookArgs>;

}  // namespace weft::threading

namespace weft::detail {
WEFT_API extern constinit NeverDestroyed<threading::ExceptHook> global_excepthook;
WEFT_API extern constinit NeverDestroyed<const threading::ExceptHook> global_original_excepthook;
}  // namespace weft::detail

namespace weft::threading {

/// Called, in the thread, with every exception that leaves a thread's target. Assign to replace it,
/// copy to remember what was set; any thread may do so at any time.
///
/// The original writes the thread's name, the exception and its causes to standard error, in one
/// write, and nothing for SystemExit. Without a thread it gives the calling thread's identifier in
/// place of a name. It never throws. What a replacement throws goes to `weft::unraisablehook`.
inline constinit ExceptHook& excepthook = weft::detail::global_excepthook.value;

/// What excepthook is at the start, whatever was assigned since: Python's `__excepthook__`.
inline constinit const ExceptHook& original_excepthook =
    weft::detail::global_original_excepthook.value;

}  // namespace weft::threading
