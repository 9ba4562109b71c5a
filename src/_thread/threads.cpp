#include <weft/_thread/threads.hpp>

#include <exception>
#include <new>
#include <string>

#include <weft/errors.hpp>
#include <weft/unraisable.hpp>

#include "detail/describe.hpp"
#include "detail/fmt.hpp"
#include "os/posix/forced_unwind.hpp"
#include "os/posix/stack.hpp"
#include "runtime/parking.hpp"
#include "runtime/registry.hpp"
#include "runtime/start.hpp"

namespace weft::_thread {

namespace {

using detail::ThreadKind;
using detail::ThreadState;

/// `function NAME` where the dynamic linker knows the name, else what the type says.
std::string describe_target(const detail::TargetName& target) {
    if (target.code != nullptr) {
        const os::Symbol symbol = os::symbol_at(target.code);
        if (!symbol.name.empty()) return "function " + detail::demangle(symbol.name.c_str());
    }
    std::string text =
        target.type != nullptr ? detail::demangle(target.type->name()) : std::string("function");
    if (target.code != nullptr) text += fmt::format(" at {}", target.code);
    return text;
}

void report(const detail::TargetName& target, const std::exception_ptr& exception) noexcept {
    try {
        std::rethrow_exception(exception);
    } catch (const SystemExit&) {
        return;
    } catch (...) {
        // Reported below, with no exception being handled.
    }
    try {
        detail::report_unraisable(
            {exception, "Exception ignored in thread started by", describe_target(target)});
    } catch (const std::bad_alloc&) {
        detail::write_to_stderr(
            "weft: an exception has left a thread, and no memory was left to "
            "describe it\n");
    }
}

void run_bare(const runtime::ThreadPointer& thread) {
    std::exception_ptr uncaught;
    detail::TargetName target;
    {
        const std::unique_ptr<detail::ThreadBody> body = thread->take_body();
        target = body->target_name();
        try {
            body->run(thread->stop().get_token());
        } catch (const os::ForcedUnwind&) {
            throw;
        } catch (...) {
            uncaught = std::current_exception();
        }
    }
    if (uncaught != nullptr) report(target, uncaught);
}

}  // namespace

}  // namespace weft::_thread

namespace weft::detail {

_thread::ThreadHandle start_bare(std::unique_ptr<ThreadBody> body, bool daemon,
                                 _thread::ThreadHandle* handle) {
    _thread::ThreadHandle started;
    started.state_ =
        std::make_shared<ThreadState>(ThreadKind::raw, std::string(), daemon, std::move(body));
    // Before the thread runs, since from then on the handle is also the thread's to use.
    if (handle != nullptr) *handle = started;
    try {
        runtime::start_thread(started.state_, nullptr, &_thread::run_bare);
    } catch (...) {
        if (handle != nullptr) handle->state_.reset();
        throw;
    }
    return started;
}

}  // namespace weft::detail

namespace weft::_thread {

std::uint64_t ThreadHandle::ident() const noexcept {
    return state_ != nullptr ? state_->ident() : 0;
}

bool ThreadHandle::is_done() const noexcept {
    return state_ != nullptr && state_->status() == detail::ThreadStatus::stopped;
}

void ThreadHandle::join(Timeout timeout) const {
    runtime::park_if_abandoned();
    if (state_ == nullptr) {
        throw std::runtime_error("join: the handle is of no thread; start one with it first");
    }
    if (state_->is_current()) {
        throw std::runtime_error("join: a thread cannot wait for its own end");
    }
    if (state_->will_never_end()) {
        throw std::runtime_error(fmt::format(
            "join: the program has ended, and the daemon thread {} never will", state_->ident()));
    }
    detail::throw_if_stopped(state_->join({.deadline = detail::Deadline::after(timeout)}));
}

void exit() {
    throw SystemExit();
}

void exit_thread() {
    exit();
}

}  // namespace weft::_thread
