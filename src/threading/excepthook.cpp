#include <weft/threading/excepthook.hpp>

#include <new>

#include <weft/_thread/identity.hpp>
#include <weft/errors.hpp>
#include <weft/unraisable.hpp>

#include "detail/describe.hpp"
#include "detail/fmt.hpp"
#include "os/posix/forced_unwind.hpp"
#include "threading/thread_access.hpp"

namespace weft::threading {

namespace {

bool is_system_exit(const std::exception_ptr& exception) {
    if (exception == nullptr) return false;
    try {
        std::rethrow_exception(exception);
    } catch (const SystemExit&) {
        return true;
    } catch (...) {
        return false;
    }
}

void write_uncaught(const ExceptHookArgs& args) {
    if (is_system_exit(args.exc_value)) return;
    const std::string thread =
        args.thread ? args.thread->name() : fmt::to_string(_thread::get_ident());
    const std::string exception =
        args.exc_value != nullptr ? detail::describe_with_causes(args.exc_value) : args.exc_type;
    detail::write_to_stderr(fmt::format("Exception in thread {}:\n{}\n", thread, exception));
}

}  // namespace

std::string ExceptHookArgs::what() const {
    return exc_value != nullptr ? detail::describe(exc_value).line() : exc_type;
}

void report_uncaught(const Thread& thread, const std::exception_ptr& exception) {
    std::exception_ptr of_the_hook;
    try {
        excepthook({detail::describe(exception).type, exception, thread});
    } catch (const os::ForcedUnwind&) {
        throw;
    } catch (...) {
        of_the_hook = std::current_exception();
    }
    if (of_the_hook == nullptr) return;
    try {
        detail::report_unraisable(
            {of_the_hook, "Exception in threading.excepthook, called for",
             fmt::format("{} ({})", thread.name(), detail::describe(exception).line())});
    } catch (const std::bad_alloc&) {
        detail::write_to_stderr(
            "weft: an exception has left a thread, and no memory was left to describe it\n");
    }
}

}  // namespace weft::threading

namespace weft::detail {

constinit NeverDestroyed<threading::ExceptHook> global_excepthook{threading::write_uncaught};
constinit NeverDestroyed<const threading::ExceptHook> global_original_excepthook{
    threading::write_uncaught};

}  // namespace weft::detail
