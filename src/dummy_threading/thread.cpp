#include <weft/dummy_threading/thread.hpp>

#include <array>
#include <exception>
#include <stdexcept>
#include <utility>

#include <weft/_dummy_thread.hpp>
#include <weft/_thread/identity.hpp>
#include <weft/dummy_threading/functions.hpp>
#include <weft/dummy_threading/timer.hpp>
#include <weft/threading/excepthook.hpp>
#include <weft/threading/local.hpp>
#include <weft/unraisable.hpp>

#include "detail/describe.hpp"
#include "detail/fmt.hpp"
#include "os/posix/forced_unwind.hpp"
#include "threading/trace_hooks.hpp"

namespace weft::detail {

struct DummyThread {
    enum class Status { initial, running, stopped };

    std::string name;
    bool is_daemon = false;
    bool keeps_body = false;  ///< a body that can be run again, and is reached by handles
    Status status = Status::initial;
    bool has_body = false;
    std::shared_ptr<ThreadBody> body{};
    std::stop_source stop{};
    std::uint64_t native_id = 0;
};

struct DummyThreadAccess {
    static dummy_threading::Thread handle(std::shared_ptr<DummyThread> state) {
        return dummy_threading::Thread(std::move(state));
    }
};

void DummyTimerBody::run(const std::stop_token& stop) {
    const std::unique_ptr<ThreadBody> function = std::move(function_);
    if (function == nullptr) {
        throw std::runtime_error("run: this timer has been run, and its function was released");
    }
    if (stop.stop_requested()) cancel();
    if (fate_ == Fate::cancelled) return;
    // Nobody could ask it to stop while it waits.
    wait_alone("Timer", interval_);
    fate_ = Fate::running;
    function->run(stop);
}

const std::type_info* DummyTimerBody::type() const noexcept {
    return &typeid(dummy_threading::Timer);
}

}  // namespace weft::detail

namespace weft::dummy_threading {

namespace {

using weft::detail::DummyThread;
using weft::detail::DummyThreadAccess;
using Status = DummyThread::Status;

/// What one thread of the system's knows of threads that are none.
struct World {
    std::shared_ptr<DummyThread> main =
        std::make_shared<DummyThread>(DummyThread{.name = "MainThread", .status = Status::running});
    std::vector<std::shared_ptr<DummyThread>> running{};  ///< outermost first
    std::uint64_t names = 0;

    [[nodiscard]] const std::shared_ptr<DummyThread>& current() const {
        return running.empty() ? main : running.back();
    }
};

/// Works to the end of the program.
constinit threading::local<World> world;

std::shared_ptr<DummyThread> make_state(ThreadOptions options,
                                        std::shared_ptr<weft::detail::ThreadBody> body,
                                        bool keeps_body) {
    if (options.stack_size != 0) stack_size(options.stack_size);
    if (options.name.empty()) options.name = fmt::format("Thread-{}", ++world->names);
    const bool has_body = body != nullptr;
    return std::make_shared<DummyThread>(
        DummyThread{.name = std::move(options.name),
                    .is_daemon = options.daemon.value_or(world->current()->is_daemon),
                    .keeps_body = keeps_body,
                    .has_body = has_body,
                    .body = std::move(body)});
}

void run_body(DummyThread& thread) {
    const std::shared_ptr<weft::detail::ThreadBody> body =
        thread.keeps_body ? thread.body : std::move(thread.body);
    if (body != nullptr) {
        body->run(thread.stop.get_token());
    } else if (thread.has_body) {
        throw std::runtime_error(
            fmt::format("run: the target of {} has been run, and was released", thread.name));
    }
}

void report(const std::exception_ptr& exception) {
    try {
        threading::excepthook({weft::detail::describe(exception).type, exception, std::nullopt});
    } catch (const os::ForcedUnwind&) {
        throw;
    } catch (...) {
        weft::detail::report_unraisable({std::current_exception(),
                                         "Exception in threading.excepthook, called for",
                                         weft::detail::describe(exception).line()});
    }
}

/// What a thread's target is traced by.
constinit std::array<weft::detail::TracePlace, weft::detail::kHookKinds> hooks;

void set_hook(weft::detail::HookKind kind, threading::TraceFunction&& func) {
    weft::detail::TraceShare share(std::move(func));
    const auto before = hooks[static_cast<std::size_t>(kind)].exchange(std::move(share));
}

/// A thread's life between its start and its end, which comes however its target ends.
class Life {
public:
    explicit Life(const std::shared_ptr<DummyThread>& thread) : thread_(*thread) {
        world->running.push_back(thread);
        thread_.native_id = _thread::get_native_id();
        thread_.status = Status::running;
    }
    ~Life() {
        thread_.status = Status::stopped;
        world->running.pop_back();
    }
    Life(const Life&) = delete;
    Life& operator=(const Life&) = delete;

private:
    DummyThread& thread_;
};

/// What start() runs in place of a thread.
class Bootstrap final : public weft::detail::ThreadBody {
public:
    explicit Bootstrap(const std::shared_ptr<DummyThread>& thread) : thread_(thread) {}
    void run(const std::stop_token&) override {
        const Life life(thread_);
        const weft::detail::ScopedHooks traced(hooks);
        std::exception_ptr uncaught;
        try {
            run_body(*thread_);
        } catch (const os::ForcedUnwind&) {
            throw;
        } catch (...) {
            uncaught = std::current_exception();
        }
        if (uncaught != nullptr) report(uncaught);
    }

private:
    const std::shared_ptr<DummyThread>& thread_;
};

void join_within(const std::shared_ptr<DummyThread>& thread, Timeout timeout,
                 const std::stop_token* stop) {
    if (thread->status == Status::initial) {
        throw std::runtime_error(
            fmt::format("join: {} has not been started; call start() first", thread->name));
    }
    if (thread == world->current()) {
        throw std::runtime_error("join: a thread cannot wait for its own end");
    }
    if (thread->status == Status::running) weft::detail::wait_alone("join", timeout, stop);
}

}  // namespace

Thread::Thread() : Thread(ThreadOptions{}) {}

Thread::Thread(ThreadOptions options)
    : Thread(std::move(options), std::shared_ptr<weft::detail::ThreadBody>()) {}

Thread::Thread(ThreadOptions options, std::shared_ptr<weft::detail::ThreadBody> body)
    : state_(make_state(std::move(options), std::move(body), false)) {}

Thread::Thread(KeepsItsBody, ThreadOptions options, std::shared_ptr<weft::detail::ThreadBody> body)
    : state_(make_state(std::move(options), std::move(body), true)) {}

void Thread::start() {
    if (state_->status != Status::initial) {
        throw std::runtime_error(
            fmt::format("start: {} has been started before; a thread starts once", state_->name));
    }
    // A share of its own: the target may drop this handle.
    const std::shared_ptr<DummyThread> thread = state_;
    Bootstrap bootstrap(thread);
    weft::detail::run_to_the_end(bootstrap);
}

void Thread::run() {
    const std::shared_ptr<DummyThread> thread = state_;
    run_body(*thread);
}

void Thread::join(Timeout timeout) const {
    join_within(state_, timeout, nullptr);
}

void Thread::join(const std::stop_token& stop, Timeout timeout) const {
    join_within(state_, timeout, &stop);
}

std::string Thread::name() const {
    return state_->name;
}

void Thread::set_name(std::string name) const {
    state_->name = std::move(name);
}

std::optional<std::uint64_t> Thread::ident() const {
    if (state_->status == Status::initial) return std::nullopt;
    return get_ident();
}

std::optional<std::uint64_t> Thread::native_id() const {
    if (state_ == world->main) return _thread::get_native_id();
    return state_->native_id != 0 ? std::optional(state_->native_id) : std::nullopt;
}

bool Thread::is_alive() const noexcept {
    return state_->status == Status::running;
}

bool Thread::daemon() const noexcept {
    return state_->is_daemon;
}

void Thread::set_daemon(bool is_daemon) const {
    if (state_->status != Status::initial) {
        throw std::runtime_error(fmt::format(
            "set_daemon: {} has been started; daemon is decided before start()", state_->name));
    }
    state_->is_daemon = is_daemon;
}

bool Thread::request_stop() const noexcept {
    return state_->stop.request_stop();
}

std::stop_token Thread::get_stop_token() const noexcept {
    return state_->stop.get_token();
}

std::stop_source Thread::get_stop_source() const noexcept {
    return state_->stop;
}

std::string Thread::repr() const {
    std::string type = state_ == world->main ? "_MainThread" : "Thread";
    // Only such a body lasts, and has a class.
    if (state_->keeps_body && state_->body->type() != nullptr) {
        type = weft::detail::demangle(state_->body->type()->name());
    }
    std::string text = fmt::format("<{}({}, ", type, state_->name);
    text += state_->status == Status::initial   ? "initial"
            : state_->status == Status::running ? "started"
                                                : "stopped";
    if (state_->is_daemon) text += " daemon";
    if (state_->status != Status::initial) text += fmt::format(" {}", get_ident());
    return text + ")>";
}

// Functions
// ----------------------------------------------------------------------------------------

Thread current_thread() {
    return DummyThreadAccess::handle(world->current());
}

Thread main_thread() {
    return DummyThreadAccess::handle(world->main);
}

std::vector<Thread> enumerate() {
    std::vector<Thread> threads{main_thread()};
    for (const auto& each : world->running) threads.push_back(DummyThreadAccess::handle(each));
    return threads;
}

std::size_t active_count() {
    return 1 + world->running.size();
}

Thread currentThread() {
    return current_thread();
}

std::size_t activeCount() {
    return active_count();
}

void settrace(threading::TraceFunction func) {
    set_hook(weft::detail::HookKind::trace, std::move(func));
}

void setprofile(threading::TraceFunction func) {
    set_hook(weft::detail::HookKind::profile, std::move(func));
}

}  // namespace weft::dummy_threading
