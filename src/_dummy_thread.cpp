#include <weft/_dummy_thread.hpp>

#include <exception>
#include <new>

#include <weft/detail/wait_list.hpp>
#include <weft/errors.hpp>

#include "detail/describe.hpp"
#include "detail/fmt.hpp"
#include "os/posix/forced_unwind.hpp"
#include "runtime/parking.hpp"

namespace weft::detail {

void wait_alone(const char* what, Timeout timeout, const std::stop_token* stop) {
    const bool may_stop = stop != nullptr && stop->stop_possible();
    if (timeout.is_none() && !may_stop) {
        throw std::runtime_error(
            fmt::format("{}: this would wait for ever, since there is no other thread; give a "
                        "timeout, or use weft::threading",
                        what));
    }
    runtime::park_if_abandoned();
    WaitList nobody;
    auto never = [] { return false; };
    throw_if_stopped(nobody.wait(never, {.deadline = Deadline::after(timeout), .stop = stop}));
}

}  // namespace weft::detail

namespace weft::_dummy_thread {

namespace {

/// Of each thread of the system's, which knows nothing of the others.
constinit thread_local int running = 0;  // how many functions run one inside the other
constinit thread_local bool is_interrupted = false;

class Running {
public:
    Running() noexcept { ++running; }
    ~Running() { --running; }
    Running(const Running&) = delete;
    Running& operator=(const Running&) = delete;
};

}  // namespace

void LockType::throw_not_locked() {
    throw error("release: the lock is not locked");
}

std::string LockType::repr() const {
    return fmt::format("<{} weft::_dummy_thread::LockType at {}>", locked() ? "locked" : "unlocked",
                       fmt::ptr(this));
}

std::string RLock::repr() const {
    return fmt::format("<{} weft::_dummy_thread::RLock count={} at {}>",
                       locked() ? "locked" : "unlocked", level_, fmt::ptr(this));
}

std::size_t stack_size(std::size_t size) {
    throw error(fmt::format("stack_size: there are no threads to give {} bytes to", size));
}

void exit() {
    throw SystemExit();
}

void interrupt_main() {
    if (running == 0) throw KeyboardInterrupt("interrupted by interrupt_main()");
    is_interrupted = true;
}

}  // namespace weft::_dummy_thread

namespace weft::detail {

namespace {

/// An interrupt that is under way must still reach whoever has started the function.
void write_exception(const std::exception_ptr& exception) noexcept {
    try {
        write_to_stderr(describe_with_causes(exception) + "\n");
    } catch (const std::bad_alloc&) {
        write_to_stderr(
            "weft: an exception has left a thread, and no memory was left to describe it\n");
    }
}

}  // namespace

void run_to_the_end(ThreadBody& body) {
    using _dummy_thread::is_interrupted;
    {
        const _dummy_thread::Running inside;
        const std::stop_source nobody_stops(std::nostopstate);
        try {
            body.run(nobody_stops.get_token());
        } catch (const os::ForcedUnwind&) {
            throw;
        } catch (const SystemExit&) {
            // Asks for the end of the thread, which is here.
        } catch (...) {
            write_exception(std::current_exception());
        }
    }
    if (std::exchange(is_interrupted, false)) {
        throw KeyboardInterrupt("interrupted by interrupt_main()");
    }
}

}  // namespace weft::detail
