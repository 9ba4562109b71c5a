// What a child of fork() finds of Ctrl-C and of the wakers of its parent.

#include <gtest/gtest.h>

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <functional>
#include <latch>
#include <thread>
#include <vector>

#include <weft/detail/atomic.hpp>
#include <weft/errors.hpp>
#include <weft/keyboard_interrupt.hpp>
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
                      std::jthread([&] {
                          childs = FdWakerLease()->fd();
                      }).join();
                      return wait() == WaitEnd::timed_out && fcntl(ends[0], F_GETFD) != -1 &&
                             FdWakerLease()->fd() == childs;
                  }),
                  kGood);
        EXPECT_EQ(wait(), WaitEnd::timed_out);
    }).join();
    close(ends[0]);
    close(ends[1]);
}

}  // namespace
