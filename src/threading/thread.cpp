#include <weft/threading/thread.hpp>

#include <exception>
#include <stdexcept>

#include "contextvars/inheritance.hpp"
#include "detail/describe.hpp"
#include "detail/fmt.hpp"
#include "runtime/parking.hpp"
#include "runtime/stack_size.hpp"
#include "runtime/start.hpp"
#include "threading/run.hpp"
#include "threading/thread_access.hpp"

namespace weft::threading {

using detail::ThreadKind;
using detail::ThreadState;
using detail::ThreadStatus;
using detail::WaitLimits;

namespace {

std::string next_name() {
    static constinit detail::Atomic<std::uint64_t> names{0};
    return fmt::format("Thread-{}", names.fetch_add(1, std::memory_order_relaxed) + 1);
}

std::shared_ptr<ThreadState> make_state(ThreadOptions& options,
                                        std::shared_ptr<contextvars::Context> context,
                                        std::unique_ptr<detail::ThreadBody> body) {
    const bool is_daemon = options.daemon ? *options.daemon : runtime::registry.makes_daemons();
    if (options.stack_size != 0) runtime::require_stack_size(options.stack_size);
    auto state = std::make_shared<ThreadState>(
        ThreadKind::started, options.name.empty() ? next_name() : std::move(options.name),
        is_daemon, std::move(body));
    state->stack_size = options.stack_size;
    state->has_context = context != nullptr;
    state->context = std::move(context);
    return state;
}

/// Throws when the thread cannot be joined by the calling one.
void require_joinable(const ThreadState& thread) {
    const ThreadStatus status = thread.status();
    if (status == ThreadStatus::initial || status == ThreadStatus::starting) {
        throw std::runtime_error(
            fmt::format("join: {} has not been started; call start() first", thread.name()));
    }
    if (thread.is_current()) {
        throw std::runtime_error("join: a thread cannot wait for its own end");
    }
    if (thread.is_dummy()) {
        throw std::runtime_error(fmt::format(
            "join: {} was not started by Weft; only who started it can join it", thread.name()));
    }
    if (thread.will_never_end()) {
        throw std::runtime_error(fmt::format(
            "join: the program has ended, and the daemon {} never will", thread.name()));
    }
}

void join_within(ThreadState& thread, const WaitLimits& limits) {
    runtime::park_if_abandoned();
    require_joinable(thread);
    detail::throw_if_stopped(thread.join(limits));
}

}  // namespace

// Thread
// -------------------------------------------------------------------------------------------

Thread::Thread() : Thread(ThreadOptions{}) {}

Thread::Thread(ThreadOptions options)
    : Thread(std::move(options), std::unique_ptr<detail::ThreadBody>()) {}

Thread::Thread(ThreadOptions options, std::unique_ptr<detail::ThreadBody> body)
    : state_(make_state(options, std::move(options.context.context_), std::move(body))) {}

Thread::Thread(ThreadOptions options, std::shared_ptr<detail::ThreadBody> object)
    : state_(make_state(options, std::move(options.context.context_), nullptr)),
      object_(std::move(object)) {
    state_->object = object_;
}

void Thread::start() {
    // A share of its own: the thread may drop this handle.
    const std::shared_ptr<ThreadState> thread = state_;
    runtime::start_thread(thread, object_, &run_on_thread,
                          thread->has_context ? nullptr : contextvars::detail::pack_inheritance());
}

void Thread::run() {
    // Shares of its own: what it runs may drop this handle.
    const std::shared_ptr<ThreadState> thread = state_;
    if (const auto object = object_; object != nullptr) {
        object->run(thread->stop().get_token());
    } else {
        run_target(*thread);
    }
}

void Thread::join(Timeout timeout) const {
    join_within(*state_, {.deadline = detail::Deadline::after(timeout)});
}

void Thread::join(std::stop_token stop, Timeout timeout) const {
    join_within(*state_, {.deadline = detail::Deadline::after(timeout), .stop = &stop});
}

std::string Thread::name() const {
    return state_->name();
}

void Thread::set_name(std::string name) const {
    state_->set_name(std::move(name));
    if (state_->is_current()) state_->show_name();
}

std::optional<std::uint64_t> Thread::ident() const {
    const std::uint64_t ident = state_->ident();
    return ident != 0 ? std::optional(ident) : std::nullopt;
}

std::optional<std::uint64_t> Thread::native_id() const {
    const std::uint64_t id = state_->native_id();
    return id != 0 ? std::optional(id) : std::nullopt;
}

bool Thread::is_alive() const noexcept {
    return state_->is_alive();
}

bool Thread::daemon() const noexcept {
    return state_->is_daemon();
}

void Thread::set_daemon(bool daemon) const {
    if (!state_->set_daemon(daemon)) {
        throw std::runtime_error(fmt::format(
            "set_daemon: {} has been started; daemon is decided before start()", state_->name()));
    }
}

bool Thread::request_stop() const noexcept {
    return state_->stop().request_stop();
}

std::stop_token Thread::get_stop_token() const noexcept {
    return state_->stop().get_token();
}

std::stop_source Thread::get_stop_source() const noexcept {
    return state_->stop();
}

std::string Thread::repr() const {
    std::string type = "Thread";
    if (object_ != nullptr && object_->type() != nullptr) {
        type = detail::demangle(object_->type()->name());
    }
    if (state_->kind() == ThreadKind::main) type = "_MainThread";
    if (state_->is_dummy()) type = "_DummyThread";
    std::string text = fmt::format("<{}({}, ", type, state_->name());
    const ThreadStatus status = state_->status();
    if (status == ThreadStatus::initial || status == ThreadStatus::starting) {
        text += "initial";
    } else {
        text += state_->is_alive() ? "started" : "stopped";
    }
    if (state_->is_daemon()) text += " daemon";
    if (const std::uint64_t ident = state_->ident(); ident != 0) text += fmt::format(" {}", ident);
    return text + ")>";
}

// Joining
// ------------------------------------------------------------------------------------------

Joining::Joining(Thread thread)
    : thread_(std::make_unique<Thread>(thread)), unwinding_(std::uncaught_exceptions()) {
    thread_->start();
}

Joining& Joining::operator=(Joining&& other) noexcept {
    if (this != &other) {
        finish();
        thread_ = std::move(other.thread_);
        unwinding_ = other.unwinding_;
    }
    return *this;
}

Joining::~Joining() {
    finish();
}

void Joining::finish() noexcept {
    if (thread_ == nullptr) return;
    ThreadState& state = detail::ThreadAccess::state(*thread_);
    const auto object = state.object.lock();
    const bool takes_stop_token =
        object != nullptr ? object->takes_stop_token() : state.takes_stop_token();
    if (std::uncaught_exceptions() > unwinding_ && takes_stop_token) {
        state.stop().request_stop();
    }
    if (!state.is_current() && !state.will_never_end()) {
        runtime::park_if_abandoned();
        (void)state.join({.is_interruptible = false});
    }
    thread_.reset();
}

}  // namespace weft::threading
