#include "subprocess/child_process.hpp"

#include <algorithm>
#include <cerrno>
#include <string>
#include <system_error>
#include <utility>

#include <weft/detail/deadline.hpp>
#include <weft/detail/hook.hpp>

#include "detail/fd_wait.hpp"
#include "detail/interruption.hpp"
#include "runtime/parking.hpp"

namespace weft::subprocess {

using weft::detail::Deadline;
using weft::detail::WaitEnd;
using weft::detail::WaitLimits;

namespace {

constexpr int kKillSignal = 9;
constexpr weft::detail::Nanoseconds kTracedPause = 1'000'000;

class Held {
public:
    explicit Held(weft::detail::LowLock& lock) noexcept : lock_(lock) { lock_.lock(); }
    ~Held() { lock_.unlock(); }
    Held(const Held&) = delete;
    Held& operator=(const Held&) = delete;

private:
    weft::detail::LowLock& lock_;
};

[[noreturn]] void throw_signal_error(int error, int number) {
    throw std::system_error(error, std::generic_category(),
                            "kill: signal " + std::to_string(number));
}

}  // namespace

std::optional<int> ChildProcess::code() const noexcept {
    // Acquire pairs with the release of look_locked().
    if (!has_ended_.load(std::memory_order_acquire)) return std::nullopt;
    return code_;
}

std::optional<os::Usage> ChildProcess::usage() const noexcept {
    if (!has_ended_.load(std::memory_order_acquire)) return std::nullopt;
    return usage_;
}

void ChildProcess::look_locked() noexcept {
    if (has_ended_.load(std::memory_order_relaxed)) return;
    if (kills_group_at_end_ && os::is_unreaped(pid_, pidfd_.fd())) {
        (void)os::signal_group(pid_, pidfd_.fd(), kKillSignal, false);
    }
    const os::ChildLook look = os::look_at_child(pid_, pidfd_.fd());
    if (look.state == os::ChildLook::State::running) return;
    code_ = look.code;
    if (look.state == os::ChildLook::State::ended) usage_ = look.usage;
    is_reaped_ = true;
    has_ended_.store(true, std::memory_order_release);
}

std::optional<int> ChildProcess::poll() noexcept {
    if (!has_ended_.load(std::memory_order_acquire)) {
        const Held held(lock_);
        look_locked();
    }
    return code();
}

void ChildProcess::kill_group_at_end() noexcept {
    if (!leads_group_) return;
    const Held held(lock_);
    kills_group_at_end_ = true;
}

WaitEnd ChildProcess::wait(const WaitLimits& limits) {
    if (code()) return WaitEnd::notified;
    if (pidfd_.fd() < 0) return wait_without_pidfd(limits);
    const bool waits_for_nothing_else =
        limits.deadline.is_never() && limits.stop == nullptr &&
        !(limits.is_interruptible && weft::detail::are_interrupts_enabled());
    if (waits_for_nothing_else) {
        runtime::park_if_abandoned();
        const runtime::ParkAfterwards parking;
        os::wait_for_child(pidfd_.fd());
        if (poll()) return WaitEnd::notified;
    }
    for (;;) {
        os::Watched watched{.fd = pidfd_.fd()};
        const WaitEnd end = weft::detail::wait_for_descriptors({&watched, 1}, limits);
        if (poll()) return WaitEnd::notified;
        if (end != WaitEnd::notified) return end;
        // Ended, and not to be waited for yet: somebody traces it. Nothing tells when that is over.
        WaitLimits pause = limits;
        const weft::detail::Nanoseconds next = weft::detail::now() + kTracedPause;
        if (limits.deadline.is_never() || limits.deadline.when() > next) {
            pause.deadline = Deadline::at(next);
        }
        const WaitEnd paused = weft::detail::wait_for_descriptors({}, pause);
        if (paused != WaitEnd::timed_out || limits.deadline.has_passed()) {
            return poll() ? WaitEnd::notified : paused;
        }
    }
}

// Nothing tells of the end but a look: at first soon, later twenty times a second. A limit binds at
// the usual time; only the child's end is noticed late.
WaitEnd ChildProcess::wait_without_pidfd(const WaitLimits& limits) {
    constexpr weft::detail::Nanoseconds kLongest = 50'000'000;
    for (weft::detail::Nanoseconds delay = 500'000;; delay = std::min(delay * 2, kLongest)) {
        if (poll()) return WaitEnd::notified;
        if (limits.deadline.has_passed()) return WaitEnd::timed_out;
        const weft::detail::Nanoseconds next = weft::detail::now() + delay;
        WaitLimits until_look = limits;
        const bool is_limit_later = limits.deadline.is_never() || limits.deadline.when() > next;
        if (is_limit_later) until_look.deadline = Deadline::at(next);
        const WaitEnd end = weft::detail::wait_for_descriptors({}, until_look);
        if (end != WaitEnd::timed_out) return poll() ? WaitEnd::notified : end;
    }
}

void ChildProcess::signal(int number) {
    int error = 0;
    {
        const Held held(lock_);
        look_locked();
        if (has_ended_.load(std::memory_order_relaxed)) return;
        error = os::send_signal(pid_, pidfd_.fd(), number);
    }
    // It has vanished since the look.
    if (error != 0 && error != ESRCH) throw_signal_error(error, number);
}

bool ChildProcess::signal_group(int number) {
    int error = 0;
    {
        const Held held(lock_);
        error = os::signal_group(pid_, pidfd_.fd(), number, is_reaped_);
    }
    if (error == ESRCH || error == ENOTSUP) return false;
    if (error != 0) throw_signal_error(error, number);
    return true;
}

void ChildProcess::signal_all(int number) {
    if (leads_group_) {
        (void)signal_group(number);
    } else {
        signal(number);
    }
}

// The reaper
// ---------------------------------------------------------------------------------------

class Reaper {
public:
    constexpr Reaper() noexcept = default;

    void add(std::unique_ptr<ChildProcess> child) noexcept {
        const Held held(lock_);
        forget_other_process();
        child->next_ = std::move(first_);
        first_ = std::move(child);
        count_.fetch_add(1, std::memory_order_relaxed);
    }

    void reap() noexcept {
        if (count_.load(std::memory_order_relaxed) == 0) return;
        // One by one, and after the lock is released: a chain would be destroyed by recursion.
        struct Ended {
            std::unique_ptr<ChildProcess> first;
            ~Ended() {
                while (first != nullptr) first = std::move(first->next_);
            }
        } ended;
        const Held held(lock_);
        forget_other_process();
        for (std::unique_ptr<ChildProcess>* link = &first_; *link != nullptr;) {
            if (!(*link)->poll()) {
                link = &(*link)->next_;
                continue;
            }
            std::unique_ptr<ChildProcess> one = std::move(*link);
            *link = std::move(one->next_);
            one->next_ = std::move(ended.first);
            ended.first = std::move(one);
            count_.fetch_sub(1, std::memory_order_relaxed);
        }
    }

private:
    /// In a child of fork() the listed children are the parent's, and the list may have been in the
    /// middle of a change: it is left where it is.
    void forget_other_process() noexcept {
        const auto now = weft::detail::fork_generation.load(std::memory_order_relaxed);
        if (std::exchange(generation_, now) == now || first_ == nullptr) return;
        abandoned_ = first_.release();
        count_.store(0, std::memory_order_relaxed);
    }

    weft::detail::LowLock lock_;  ///< guards what follows
    std::uint32_t generation_ = 2;
    std::unique_ptr<ChildProcess> first_;
    ChildProcess* abandoned_ = nullptr;  ///< kept so that it is not taken for a leak
    std::atomic<std::size_t> count_{0};
};

namespace {
constinit weft::detail::NeverDestroyed<Reaper> reaper;
}  // namespace

void leave_to_reaper(std::unique_ptr<ChildProcess> child) noexcept {
    reaper.value.add(std::move(child));
}

void reap_left_children() noexcept {
    reaper.value.reap();
}

}  // namespace weft::subprocess
