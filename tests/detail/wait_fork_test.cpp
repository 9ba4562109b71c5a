// What a child of fork() finds of Ctrl-C and of the wakers of its parent.

#include <gtest/gtest.h>

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <latch>
#include <stop_token>
#include <thread>
#include <vector>

#include <weft/detail/atomic.hpp>
#include <weft/errors.hpp>
#include <weft/keyboard_interrupt.hpp>
#include <weft/manual_clock.hpp>
#include <weft/threading/lock.hpp>

#include "detail/fd_wait.hpp"
#include "detail/fd_waker.hpp"
#include "detail/interruption.hpp"
#include "support/budget.hpp"
#include "support/child.hpp"

namespace {

using namespace std::chrono_literals;
using weft::KeyboardInterruptGuard;
using weft::detail::Deadline;
using weft::detail::FdWakerLease;
using weft::detail::FutexWord;
using weft::detail::InterruptibleSleep;
using weft::detail::WaitEnd;

constexpr int kGood = 42;

int in_child(const std::function<bool()>& check) {
    const pid_t child = fork();
    if (child == 0) _exit(check() ? kGood : 1);
    const auto status = weft::test::wait_for_process(child, 20s * weft::test::slowness());
    return status && WIFEXITED(*status) ? WEXITSTATUS(*status) : -1;
}

bool is_interrupted(const KeyboardInterruptGuard& guard) {
    try {
        guard.check();
        return false;
    } catch (const weft::KeyboardInterrupt&) {
        return true;
    }
}

bool next_wait_is_interrupted() {
    weft::threading::Lock lock;
    lock.acquire();
    try {
        lock.acquire();
        return false;
    } catch (const weft::KeyboardInterrupt&) {
        return true;
    }
}

TEST(InterruptAfterFork, ThatCameBeforeIsTheParentsAlone) {
    const KeyboardInterruptGuard guard;
    raise(SIGINT);
    EXPECT_EQ(in_child([&] { return !is_interrupted(guard); }), kGood);
    EXPECT_TRUE(is_interrupted(guard));
}

TEST(InterruptAfterFork, ReachesTheThreadThatForked) {
    const KeyboardInterruptGuard guard;
    std::jthread([&] {
        EXPECT_EQ(in_child([] {
                      kill(getpid(), SIGINT);
                      return next_wait_is_interrupted();
                  }),
                  kGood);
    }).join();
    EXPECT_FALSE(is_interrupted(guard));
}

TEST(InterruptAfterFork, LeavesTheSleepOfTheParentsMainThreadAlone) {
    const KeyboardInterruptGuard guard;
    FutexWord word{0};
    const InterruptibleSleep sleep(word, true);
    std::jthread([&] {
        EXPECT_EQ(in_child([&] {
                      raise(SIGINT);
                      return word == 0 && is_interrupted(guard);
                  }),
                  kGood);
    }).join();
    raise(SIGINT);
    EXPECT_NE(word, 0U);
    EXPECT_TRUE(sleep.is_requested());
    EXPECT_TRUE(is_interrupted(guard));
}

TEST(FdWakerAfterFork, IsMadeAnewAndTheParentsAreClosed) {
    std::latch has_waker(1);
    std::latch may_end(1);
    int others = -1;
    const std::jthread other([&] {
        others = FdWakerLease()->fd();
        has_waker.count_down();
        may_end.wait();
    });
    has_waker.wait();
    std::jthread([&] {
        const int mine = FdWakerLease()->fd();
        EXPECT_EQ(in_child([&] {
                      if (fcntl(mine, F_GETFD) != -1 || fcntl(others, F_GETFD) != -1) return false;
                      // A poke of the child's own waker must not wake the parent's.
                      FdWakerLease()->poke();
                      return true;
                  }),
                  kGood);
        EXPECT_FALSE(FdWakerLease()->is_poked());
        std::vector<weft::os::Watched> watched{{.fd = mine}, {.fd = others}};
        EXPECT_EQ(weft::detail::wait_for_descriptors(watched, {.deadline = Deadline::after(0)}),
                  WaitEnd::timed_out);
    }).join();
    may_end.count_down();
}

TEST(FdWakerAfterFork, ServesTheChildAndIsClosedAtItsThreadsEnd) {
    std::array<int, 2> ends{};
    ASSERT_EQ(pipe(ends.data()), 0);
    const auto wait = [&] {
        std::vector<weft::os::Watched> watched{{.fd = ends[0]}};
        return weft::detail::wait_for_descriptors(watched, {.deadline = Deadline::after(1ms)});
    };
    std::jthread([&] {
        EXPECT_EQ(wait(), WaitEnd::timed_out);
        EXPECT_EQ(in_child([&] {
                      int childs = -1;
                      std::jthread([&] { childs = FdWakerLease()->fd(); }).join();
                      return wait() == WaitEnd::timed_out && fcntl(ends[0], F_GETFD) != -1 &&
                             FdWakerLease()->fd() == childs;
                  }),
                  kGood);
        EXPECT_EQ(wait(), WaitEnd::timed_out);
    }).join();
    close(ends[0]);
    close(ends[1]);
}

// A signal handler that forks while its thread waits: the child goes on with that wait.

std::stop_source* stop_in_child = nullptr;
pid_t forked_child = -1;
std::latch* has_forked = nullptr;

void fork_in_handler(int) {
    forked_child = fork();
    if (forked_child != 0) {
        has_forked->count_down();
    } else if (stop_in_child != nullptr) {
        stop_in_child->request_stop();
    }
}

class ForkInAHandler : public testing::Test {
protected:
    ForkInAHandler() {
        struct sigaction action{};
        action.sa_handler = fork_in_handler;
        sigaction(SIGUSR1, &action, &before_);
        has_forked = &forked_;
        stop_in_child = &stop_;
        if (pipe2(ends_.data(), O_CLOEXEC) != 0) abort();
    }
    ~ForkInAHandler() override {
        sigaction(SIGUSR1, &before_, nullptr);
        close(ends_[0]);
        close(ends_[1]);
    }
    WaitEnd wait_for_input(const weft::detail::WaitLimits& limits) {
        std::vector<weft::os::Watched> watched{{.fd = ends_[0]}};
        return weft::detail::wait_for_descriptors(watched, limits);
    }
    int code_of_child() {
        const auto status =
            weft::test::wait_for_process(forked_child, 20s * weft::test::slowness());
        return status && WIFEXITED(*status) ? WEXITSTATUS(*status) : -1;
    }

    std::array<int, 2> ends_{};
    std::latch forked_{1};
    std::stop_source stop_;

private:
    struct sigaction before_{};
};

TEST_F(ForkInAHandler, LeavesAWaitForDescriptorsWhole) {
    const pid_t parent = getpid();
    weft::ManualClock clock;
    const auto installed = clock.install();
    std::atomic<pthread_t> waiter{};
    const std::jthread waiting([&] {
        waiter = pthread_self();
        const auto token = stop_.get_token();
        const WaitEnd end = wait_for_input({.deadline = Deadline::after(1h), .stop = &token});
        if (getpid() == parent) {
            EXPECT_EQ(end, WaitEnd::notified);
            return;
        }
        // The next wait of the child has a waker again, which no parent shares.
        std::stop_source later;
        const std::jthread stopper([&] { later.request_stop(); });
        const auto token_of_later = later.get_token();
        const bool is_good = end == WaitEnd::cancelled &&
                             wait_for_input({.stop = &token_of_later}) == WaitEnd::cancelled &&
                             fcntl(FdWakerLease()->fd(), F_GETFD) == FD_CLOEXEC;
        _exit(is_good ? kGood : 1);
    });
    clock.wait_for_sleepers(1);
    pthread_kill(waiter, SIGUSR1);
    forked_.wait();
    EXPECT_EQ(code_of_child(), kGood);
    ASSERT_EQ(write(ends_[1], "x", 1), 1);
}

TEST_F(ForkInAHandler, LeavesTheMainThreadsSleepInterruptible) {
    const KeyboardInterruptGuard guard;
    stop_in_child = nullptr;
    FutexWord word{0};
    const InterruptibleSleep sleep(word, true);
    raise(SIGUSR1);
    if (forked_child == 0) {
        raise(SIGINT);
        _exit(word != 0 && sleep.is_requested() && is_interrupted(guard) ? kGood : 1);
    }
    EXPECT_EQ(code_of_child(), kGood);
    EXPECT_EQ(word, 0U);
}

}  // namespace
