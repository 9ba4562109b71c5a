#include "runtime/thread_state.hpp"

#include <algorithm>
#include <array>
#include <mutex>
#include <utility>

#include "os/exit_lock.hpp"
#include "runtime/main_thread.hpp"
#include "runtime/registry.hpp"
#include "runtime/this_thread.hpp"

namespace weft::detail {

ThreadState::ThreadState(ThreadKind kind, std::string name, bool is_daemon,
                         std::unique_ptr<ThreadBody> body)
    : kind_(kind),
      is_daemon_(is_daemon),
      generation_(fork_generation.load(std::memory_order_relaxed)),
      takes_stop_token_(body != nullptr && body->takes_stop_token()),
      has_target_(body != nullptr),
      name_(new const std::string(std::move(name))),
      body_(std::move(body)) {}

ThreadState::~ThreadState() {
    delete name_;
}

std::string ThreadState::name() const {
    const std::scoped_lock held(mutex_);
    return *name_;
}

void ThreadState::set_name(std::string name) {
    auto replacement = std::make_unique<const std::string>(std::move(name));
    {
        const std::scoped_lock held(mutex_);
        replacement.reset(std::exchange(name_, replacement.release()));
    }
}

void ThreadState::show_name() const noexcept {
    // One byte more than any system shows, so that it can see whether the cut is inside a
    // character.
    std::array<char, 64> start{};
    std::size_t length = 0;
    {
        const std::scoped_lock held(mutex_);
        length = name_->copy(start.data(), start.size());
    }
    os::set_current_thread_name({start.data(), length});
}

ThreadStatus ThreadState::status() const noexcept {
    const ThreadStatus status = status_.load(std::memory_order_seq_cst);
    if (status == ThreadStatus::initial || is_of_this_process()) return status;
    return ThreadStatus::stopped;
}

bool ThreadState::is_alive() const noexcept {
    if (status() != ThreadStatus::running) return false;
    return kind() != ThreadKind::main || !is_exiting_.load(std::memory_order_seq_cst);
}

bool ThreadState::set_daemon(bool is_daemon) noexcept {
    const std::scoped_lock held(mutex_);
    if (status_.load(std::memory_order_seq_cst) != ThreadStatus::initial) return false;
    is_daemon_.store(is_daemon, std::memory_order_relaxed);
    return true;
}

bool ThreadState::is_current() const noexcept {
    // Not by the identifier, which belongs to another thread as soon as the system's thread has
    // been joined: before the joining thread can say so. A dummy's end is said by the dummy itself.
    if (is_own()) return runtime::this_thread.own == this && is_of_this_process();
    const bool may_be_gone = kind() == ThreadKind::dummy && status() == ThreadStatus::stopped;
    return ident() == os::current_thread() && is_of_this_process() && !may_be_gone;
}

bool ThreadState::will_never_end() const noexcept {
    return is_daemon() && status() == ThreadStatus::running &&
           runtime::phase() == runtime::Phase::finalized;
}

bool ThreadState::is_over_for_joiners() const noexcept {
    // Initial: the system refused the thread while somebody was already waiting for it.
    const ThreadStatus seen = status();
    if (seen == ThreadStatus::stopped || seen == ThreadStatus::initial) return true;
    // The thread that calls exit() waits for the others, so they must not wait for it. The main
    // thread must, unless it is the one that ends the program: it would run on, return from main,
    // and end the program a second time.
    return is_exiting_.load(std::memory_order_seq_cst) &&
           (!runtime::is_main_thread() || runtime::is_ending_the_program());
}

// A thread that calls exit() while this one is inside of it never gets to code of ours that could
// say so: be it the one that is joined here, or one that the joined one waits for. So all are
// looked at, ever more rarely: no later than after twice the time that has passed.
WaitEnd ThreadState::join_within_exit(const WaitLimits& limits) noexcept {
    constexpr Nanoseconds kFirst = 10'000'000;
    constexpr Nanoseconds kLongest = 10'000'000'000;
    auto is_over = [this] { return is_over_for_joiners(); };
    for (Nanoseconds pause = kFirst;; pause = std::min(2 * pause, kLongest)) {
        WaitLimits until_next_look = limits;
        until_next_look.deadline = Deadline::at(std::min(limits.deadline.when(), now() + pause));
        const WaitEnd end = changes_.wait(is_over, until_next_look);
        if (end != WaitEnd::timed_out || limits.deadline.has_passed()) return end;
        runtime::registry.note_threads_held_in_exit();
    }
}

WaitEnd ThreadState::join(const WaitLimits& limits) {
    auto is_over = [this] { return is_over_for_joiners(); };
    const WaitEnd end = runtime::is_ending_the_program() && os::is_exit_exclusive()
                            ? join_within_exit(limits)
                            : changes_.wait(is_over, limits);
    if (end != WaitEnd::notified ||
        status_.load(std::memory_order_seq_cst) != ThreadStatus::stopped) {
        return end;
    }
    if (is_own() && is_of_this_process()) runtime::registry.reap(*this);
    return end;
}

std::unique_ptr<ThreadBody> ThreadState::take_body() noexcept {
    const std::scoped_lock held(mutex_);
    return std::move(body_);
}

bool ThreadState::begin_start() noexcept {
    const std::scoped_lock held(mutex_);
    if (status_.load(std::memory_order_relaxed) != ThreadStatus::initial) return false;
    generation_.store(fork_generation.load(std::memory_order_relaxed), std::memory_order_relaxed);
    status_.store(ThreadStatus::starting, std::memory_order_seq_cst);
    return true;
}

void ThreadState::cancel_start() noexcept {
    start_error_.store(0, std::memory_order_relaxed);
    ident_.store(0, std::memory_order_release);
    native_id_.store(0, std::memory_order_release);
    status_.store(ThreadStatus::initial, std::memory_order_seq_cst);
    changes_.notify_all();
}

int ThreadState::wait_until_started() noexcept {
    auto is_decided = [this] {
        return status_.load(std::memory_order_seq_cst) != ThreadStatus::starting ||
               start_error_.load(std::memory_order_seq_cst) != 0;
    };
    changes_.wait(is_decided, {.is_interruptible = false});
    return start_error_.load(std::memory_order_seq_cst);
}

void ThreadState::record_identity() noexcept {
    generation_.store(fork_generation.load(std::memory_order_relaxed), std::memory_order_relaxed);
    ident_.store(os::current_thread(), std::memory_order_release);
    native_id_.store(os::native_thread_id(), std::memory_order_release);
}

void ThreadState::become_running() noexcept {
    status_.store(ThreadStatus::running, std::memory_order_seq_cst);
    changes_.notify_all();
}

void ThreadState::refuse_start(int error) noexcept {
    start_error_.store(error, std::memory_order_seq_cst);
    changes_.notify_all();
}

void ThreadState::become_stopped() noexcept {
    status_.store(ThreadStatus::stopped, std::memory_order_seq_cst);
    changes_.notify_all();
}

void ThreadState::become_exiting() noexcept {
    is_exiting_.store(true, std::memory_order_seq_cst);
    changes_.notify_all();
}

}  // namespace weft::detail
