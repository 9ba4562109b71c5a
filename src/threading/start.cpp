#include "threading/start.hpp"

#include <exception>
#include <stdexcept>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include <weft/_thread/identity.hpp>

#include "os/posix/forced_unwind.hpp"
#include "os/posix/thread.hpp"
#include "runtime/parking.hpp"
#include "threading/thread_access.hpp"

namespace weft::threading {

namespace {

using detail::ThreadState;

/// Runs what the thread was made for, and destroys it, so that nothing of the users' is left for
/// the part of the thread that comes after its thread_local objects.
void run_on_thread(const std::shared_ptr<ThreadState>& thread) {
    const std::shared_ptr<detail::ThreadBody> object = std::move(thread->object_to_run);
    std::exception_ptr uncaught;
    try {
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

/// Not noexcept: pthread_exit() and pthread_cancel() unwind through it.
void* thread_main(void* argument) {
    auto& state = *static_cast<ThreadState*>(argument);
    if (runtime::registry.enter(state)) run_on_thread(runtime::registry.current());
    return nullptr;
}

}  // namespace

void run_target(ThreadState& thread) {
    const std::unique_ptr<detail::ThreadBody> body = thread.take_body();
    if (body != nullptr) {
        body->run(thread.stop().get_token());
    } else if (thread.has_target()) {
        throw std::runtime_error(
            fmt::format("run: the target of {} has been run, and was released", thread.name()));
    }
}

void start_thread(const runtime::ThreadPointer& thread,
                  std::shared_ptr<detail::ThreadBody> object) {
    runtime::park_if_abandoned();
    if (thread->kind() != detail::ThreadKind::started || !thread->begin_start()) {
        throw std::runtime_error(
            fmt::format("start: {} has been started before; a thread starts once", thread->name()));
    }
    try {
        runtime::registry.enlist(thread);
    } catch (...) {
        thread->cancel_start();
        throw;
    }
    thread->object_to_run = std::move(object);
    const auto [handle, error] =
        os::create_thread(&thread_main, thread.get(), _thread::stack_size());
    int reason = error;
    if (error == 0) {
        reason = thread->wait_until_started();
        if (reason == 0) return;
        os::join_thread(handle);
    }
    runtime::registry.delist(*thread);
    thread->object_to_run.reset();
    thread->cancel_start();
    throw std::system_error(reason, std::generic_category(),
                            fmt::format("start: cannot start {}: pthread_create", thread->name()));
}

}  // namespace weft::threading
