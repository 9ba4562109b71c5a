#include "threading/run.hpp"

#include <exception>
#include <optional>
#include <stdexcept>
#include <utility>

#include <weft/contextvars/context.hpp>
#include "detail/fmt.hpp"
#include "os/posix/forced_unwind.hpp"
#include "threading/thread_access.hpp"
#include "threading/trace_hooks.hpp"

namespace weft::threading {

void run_on_thread(const runtime::ThreadPointer& thread) {
    detail::take_hooks_for_new_threads();
    // Destroyed here, so that nothing of the users' is left for the part of the thread that comes
    // after its thread_local objects.
    const std::shared_ptr<detail::ThreadBody> object = std::move(thread->object_to_run);
    const std::shared_ptr<contextvars::Context> context = std::move(thread->context);
    std::exception_ptr uncaught;
    try {
        if (const auto prologue = std::move(thread->prologue)) {
            prologue->run(thread->stop().get_token());
        }
        std::optional<contextvars::Context::Entered> entered;
        if (context != nullptr) entered.emplace(*context);
        if (object != nullptr) {
            object->run(thread->stop().get_token());
        } else {
            run_target(*thread);
        }
    } catch (const os::ForcedUnwind&) {
        throw;
    } catch (...) {
        uncaught = std::current_exception();
    }
    // Not in the handler: the C++ library ends the process when forced unwinding, which a hook may
    // cause, is caught while another exception is being handled.
    if (uncaught != nullptr) report_uncaught(detail::ThreadAccess::handle(thread), uncaught);
}

void run_target(detail::ThreadState& thread) {
    const std::unique_ptr<detail::ThreadBody> body = thread.take_body();
    if (body != nullptr) {
        body->run(thread.stop().get_token());
    } else if (thread.has_target()) {
        throw std::runtime_error(
            fmt::format("run: the target of {} has been run, and was released", thread.name()));
    }
}

}  // namespace weft::threading
