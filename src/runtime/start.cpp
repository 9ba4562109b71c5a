#include "runtime/start.hpp"

#include <stdexcept>
#include <system_error>
#include <utility>

#include "detail/fmt.hpp"
#include "os/posix/thread.hpp"
#include "runtime/parking.hpp"
#include "runtime/stack_size.hpp"

namespace weft::runtime {

namespace {

/// Not noexcept: pthread_exit() and pthread_cancel() unwind through it.
void* thread_main(void* argument) {
    auto& state = *static_cast<detail::ThreadState*>(argument);
    if (registry.enter(state)) state.main(registry.self(state));
    return nullptr;
}

/// A thread of _thread's has no name.
std::string name_of(const detail::ThreadState& thread) {
    return thread.kind() == detail::ThreadKind::raw ? "a thread" : thread.name();
}

}  // namespace

void start_thread(const ThreadPointer& thread, std::shared_ptr<detail::ThreadBody> object,
                  void (*main)(const ThreadPointer& thread),
                  std::unique_ptr<detail::ThreadBody> prologue) {
    park_if_abandoned();
    if (!thread->is_own() || !thread->begin_start()) {
        throw std::runtime_error(
            fmt::format("start: {} has been started before; a thread starts once", thread->name()));
    }
    try {
        registry.enlist(thread);
    } catch (...) {
        thread->cancel_start();
        throw;
    }
    thread->object_to_run = std::move(object);
    thread->prologue = std::move(prologue);
    thread->main = main;
    const std::size_t stack = thread->stack_size != 0 ? thread->stack_size : default_stack_size();
    const auto [handle, error] = os::create_thread(&thread_main, thread.get(), stack);
    int reason = error;
    if (error == 0) {
        reason = thread->wait_until_started();
        if (reason == 0) return;
        os::join_thread(handle);
    }
    registry.delist(*thread);
    thread->object_to_run.reset();
    thread->prologue.reset();
    thread->cancel_start();
    throw std::system_error(
        reason, std::generic_category(),
        fmt::format("start: cannot start {}: pthread_create", name_of(*thread)));
}

}  // namespace weft::runtime
