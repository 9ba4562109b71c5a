// Presses Ctrl-C in the way that its argument names. What it writes shows who noticed.

#include <signal.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <latch>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <weft/detail/wait_list.hpp>
#include <weft/errors.hpp>
#include <weft/keyboard_interrupt.hpp>
#include <weft/manual_clock.hpp>
#include <weft/threading.hpp>

#include "children/ways.hpp"
#include "detail/fd_wait.hpp"
#include "detail/interruption.hpp"

namespace {

using namespace std::chrono_literals;
using namespace weft;
using detail::Deadline;
using detail::WaitEnd;
using detail::WaitLimits;
using ways::dawdle;
using ways::say;

void press() {
    kill(getpid(), SIGINT);
}

/// Keeps the calling thread from handling Ctrl-C, so that the system must choose another.
void leave_it_to_others() {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

const char* name_of(WaitEnd end) {
    switch (end) {
        case WaitEnd::notified:
            return "notified";
        case WaitEnd::timed_out:
            return "timed out";
        case WaitEnd::cancelled:
            return "cancelled";
        case WaitEnd::interrupted:
            return "interrupted";
    }
    return "?";
}

/// Calls, and says which way it has returned.
template <class Act>
void try_to(const char* what, Act act) {
    try {
        act();
        say(std::string(what) + ": done");
    } catch (const KeyboardInterrupt&) {
        say(std::string(what) + ": KeyboardInterrupt");
    } catch (const std::exception& error) {
        say(std::string(what) + ": " + error.what());
    }
}

/// A flag that threads wait for.
class Flag {
public:
    void set() {
        is_set_.store(true, std::memory_order_seq_cst);
        list_.notify_all();
    }
    WaitEnd wait(const WaitLimits& limits = {}) {
        auto take = [this] { return is_set_.load(std::memory_order_seq_cst); };
        return list_.wait(take, limits);
    }
    void wait_until_awaited() {
        while (list_.is_empty()) std::this_thread::yield();
    }

private:
    std::atomic<bool> is_set_{false};
    detail::WaitList list_;
};

/// Does something once the main thread sleeps in a wait with a deadline.
template <class Act>
std::jthread when_main_sleeps(ManualClock& clock, Act act) {
    return std::jthread([&clock, act] {
        clock.wait_for_sleepers(1);
        act();
    });
}

/// A guard, and a clock that stands.
struct HeldTime {
    KeyboardInterruptGuard guard;
    ManualClock clock;
    ManualClock::Installation installed = clock.install();
};

WaitLimits for_an_hour() {
    return {.deadline = Deadline::after(1h)};
}

int before_the_wait() {
    const KeyboardInterruptGuard guard;
    threading::Lock lock;
    lock.acquire();
    press();
    try_to("acquire", [&] { lock.acquire(); });
    say(lock.locked() ? "still locked" : "unlocked");
    return 0;
}

int during_the_wait() {
    HeldTime held;
    Flag flag;
    const auto presser = when_main_sleeps(held.clock, [] {
        leave_it_to_others();
        press();
    });
    say(name_of(flag.wait(for_an_hour())));
    try_to("check", [&] { held.guard.check(); });
    return 0;
}

// The thread that gets the signal has never used Weft, and passes it on.
int on_another_thread() {
    HeldTime held;
    Flag flag;
    std::latch pressing(1);
    const std::jthread stranger([&] {
        pressing.wait();
        raise(SIGINT);
    });
    const auto starter = when_main_sleeps(held.clock, [&] { pressing.count_down(); });
    say(name_of(flag.wait(for_an_hour())));
    try_to("check", [&] { held.guard.check(); });
    return 0;
}

// Wherever in its way to sleep the main thread is.
int around_the_beginning_of_many_waits() {
    const KeyboardInterruptGuard guard;
    constexpr int kWaits = 300;
    int interrupted = 0;
    for (int i = 0; i < kWaits; ++i) {
        Flag flag;
        const std::jthread presser([&, i] {
            flag.wait_until_awaited();
            for (int step = 0; step < i % 30; ++step) sched_yield();
            raise(SIGINT);
        });
        try {
            detail::throw_if_stopped(flag.wait());
        } catch (const KeyboardInterrupt&) {
            ++interrupted;
        }
    }
    say(std::to_string(interrupted) + " of " + std::to_string(kWaits));
    return 0;
}

class Pipe {
public:
    Pipe() {
        if (pipe(ends_.data()) != 0) _exit(97);
    }
    ~Pipe() {
        close(ends_[0]);
        close(ends_[1]);
    }
    Pipe(const Pipe&) = delete;
    Pipe& operator=(const Pipe&) = delete;
    WaitEnd wait(const WaitLimits& limits) const {
        std::vector<os::Watched> watched{{.fd = ends_[0]}};
        return detail::wait_for_descriptors(watched, limits);
    }
    void put() const {
        if (write(ends_[1], "x", 1) != 1) _exit(96);
    }

private:
    std::array<int, 2> ends_{};
};

int waiting_for_a_descriptor() {
    HeldTime held;
    const Pipe pipe;
    press();
    say(name_of(pipe.wait({})));
    try_to("check", [&] { held.guard.check(); });
    {
        const auto presser = when_main_sleeps(held.clock, [] { press(); });
        say(name_of(pipe.wait(for_an_hour())));
    }
    try_to("check", [&] { held.guard.check(); });
    const auto writer = when_main_sleeps(held.clock, [&] { pipe.put(); });
    say(name_of(pipe.wait(for_an_hour())));
    return 0;
}

int in_a_condition() {
    HeldTime held;
    threading::Lock lock;
    threading::Condition condition(lock);
    condition.acquire();
    const auto presser = when_main_sleeps(held.clock, [] { press(); });
    try_to("wait", [&] { condition.wait(1h); });
    say(lock.locked() ? "lock held" : "lock lost");
    condition.release();
    return 0;
}

int in_a_semaphore() {
    HeldTime held;
    threading::Semaphore semaphore(0);
    const auto presser = when_main_sleeps(held.clock, [] { press(); });
    try_to("acquire", [&] { semaphore.acquire(true, 1h); });
    semaphore.release();
    say(semaphore.acquire(false) ? "a permit" : "no permit");
    return 0;
}

int in_an_event() {
    HeldTime held;
    threading::Event event;
    const auto presser = when_main_sleeps(held.clock, [] { press(); });
    try_to("wait", [&] { event.wait(1h); });
    say(event.is_set() ? "set" : "unset");
    return 0;
}

int in_a_barrier() {
    HeldTime held;
    threading::Barrier barrier(3);
    bool other_has_failed = false;
    {
        const std::jthread other([&] {
            try {
                barrier.wait(1h);
            } catch (const threading::BrokenBarrierError&) {
                other_has_failed = true;
            }
        });
        const std::jthread presser([&] {
            held.clock.wait_for_sleepers(2);
            press();
        });
        try_to("wait", [&] { barrier.wait(1h); });
    }
    say(other_has_failed && barrier.broken() ? "broken" : "whole");
    return 0;
}

int while_another_thread_waits() {
    const KeyboardInterruptGuard guard;
    Flag flag;
    WaitEnd end = WaitEnd::timed_out;
    {
        const std::jthread other([&] { end = flag.wait(); });
        flag.wait_until_awaited();
        press();
        try_to("check", [&] { guard.check(); });
        try_to("check", [&] { guard.check(); });
        flag.set();
    }
    say(name_of(end));
    return 0;
}

int twice() {
    const KeyboardInterruptGuard guard;
    press();
    press();
    try_to("check", [&] { guard.check(); });
    try_to("check", [&] { guard.check(); });
    press();
    try_to("check", [&] { guard.check(); });
    return 0;
}

int without_need_to_wait() {
    const KeyboardInterruptGuard guard;
    threading::Lock lock;
    press();
    try_to("free lock", [&] { lock.acquire(); });
    try_to("poll", [&] { lock.acquire(false); });
    try_to("locked lock", [&] { lock.acquire(); });
    return 0;
}

int in_a_wait_that_must_go_on() {
    HeldTime held;
    Flag flag;
    const auto presser = when_main_sleeps(held.clock, [&] {
        press();
        flag.set();
    });
    say(name_of(flag.wait({.deadline = Deadline::after(1h), .is_interruptible = false})));
    try_to("check", [&] { held.guard.check(); });
    return 0;
}

int restoring() {
    struct sigaction action{};
    action.sa_handler = [](int) { say("own handler"); };
    sigaction(SIGINT, &action, nullptr);
    press();
    {
        const KeyboardInterruptGuard guard;
        press();
        try_to("check", [&] { guard.check(); });
    }
    press();
    return 0;
}

int restoring_the_default() {
    {
        const KeyboardInterruptGuard guard;
    }
    say("guard gone");
    press();
    say("not reached");
    return 0;
}

struct SayAtTheEnd {
    const char* text;
    ~SayAtTheEnd() { say(text); }
};

int left_over() {
    struct sigaction action{};
    action.sa_handler = [](int) { say("own handler"); };
    sigaction(SIGINT, &action, nullptr);
    {
        const KeyboardInterruptGuard guard;
        const SayAtTheEnd end{"guard ends"};
        press();
    }
    {
        const KeyboardInterruptGuard next;
        next.check();
    }
    return 0;
}

int left_over_for_the_default() {
    {
        const KeyboardInterruptGuard guard;
        const SayAtTheEnd end{"guard ends"};
        press();
    }
    say("not reached");
    return 0;
}

int guards() {
    {
        const KeyboardInterruptGuard first;
        try_to("second", [] { const KeyboardInterruptGuard second; });
        press();
        try_to("first", [&] { first.check(); });
    }
    try_to("later", [] { const KeyboardInterruptGuard later; });
    std::thread([] { try_to("elsewhere", [] { const KeyboardInterruptGuard elsewhere; }); }).join();
    return 0;
}

int without_a_guard() {
    say(detail::request_interrupt() ? "sent" : "not sent");
    press();
    say("not reached");
    return 0;
}

int requested() {
    HeldTime held;
    Flag flag;
    bool is_sent = false;
    WaitEnd end = WaitEnd::notified;
    {
        const auto presser =
            when_main_sleeps(held.clock, [&] { is_sent = detail::request_interrupt(); });
        end = flag.wait(for_an_hour());
    }
    say(is_sent ? "sent" : "not sent");
    say(name_of(end));
    try_to("check", [&] { held.guard.check(); });
    return 0;
}

int in_a_system_call() {
    const KeyboardInterruptGuard guard;
    std::array<int, 2> ends{};
    if (pipe(ends.data()) != 0) return 97;
    std::atomic<bool> has_returned{false};
    const pthread_t main_thread = pthread_self();
    // Again and again, since nothing tells when the call has begun.
    std::jthread presser([&] {
        while (!has_returned) {
            pthread_kill(main_thread, SIGINT);
            dawdle();
        }
    });
    char byte = 0;
    const ssize_t result = read(ends[0], &byte, 1);
    const int error = errno;
    has_returned = true;
    presser.join();
    try_to("check", [&] { guard.check(); });
    say(result == -1 && error == EINTR ? "EINTR" : "restarted");
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    return ways::take({{"before_the_wait", before_the_wait},
                       {"during_the_wait", during_the_wait},
                       {"on_another_thread", on_another_thread},
                       {"around_the_beginning_of_many_waits", around_the_beginning_of_many_waits},
                       {"waiting_for_a_descriptor", waiting_for_a_descriptor},
                       {"in_a_barrier", in_a_barrier},
                       {"in_a_condition", in_a_condition},
                       {"in_a_semaphore", in_a_semaphore},
                       {"in_an_event", in_an_event},
                       {"while_another_thread_waits", while_another_thread_waits},
                       {"twice", twice},
                       {"without_need_to_wait", without_need_to_wait},
                       {"in_a_wait_that_must_go_on", in_a_wait_that_must_go_on},
                       {"restoring", restoring},
                       {"restoring_the_default", restoring_the_default},
                       {"left_over", left_over},
                       {"left_over_for_the_default", left_over_for_the_default},
                       {"guards", guards},
                       {"without_a_guard", without_a_guard},
                       {"requested", requested},
                       {"in_a_system_call", in_a_system_call}},
                      argc, argv);
}
