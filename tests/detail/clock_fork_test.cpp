// What a child of fork() finds of the clock of its parent.

#include <gtest/gtest.h>

#include <unistd.h>

#include <atomic>
#include <chrono>
#include <thread>

#include <weft/detail/deadline.hpp>
#include <weft/manual_clock.hpp>

#include "support/budget.hpp"
#include "support/child.hpp"

namespace {

using namespace std::chrono_literals;
using weft::ManualClock;
using weft::detail::now;

constexpr int kGood = 42;

template <class Check>
int in_child(Check check) {
    const pid_t child = fork();
    if (child == 0) _exit(check() ? kGood : 1);
    const auto status = weft::test::wait_for_process(child, 20s * weft::test::slowness());
    return status && WIFEXITED(*status) ? WEXITSTATUS(*status) : -1;
}

TEST(ClockAfterFork, StillStandsWhereTheParentStoodIt) {
    ManualClock clock;
    const auto installed = clock.install();
    const auto start = now();
    EXPECT_EQ(in_child([&] {
                  if (now() != start) return false;
                  clock.advance(5s);
                  return now() == start + 5'000'000'000;
              }),
              kGood);
    EXPECT_EQ(now(), start);
}

TEST(ClockAfterFork, CanBeReadWhereverAnotherThreadWasInstalling) {
    std::atomic<bool> is_over{false};
    std::jthread installer([&] {
        ManualClock clock;
        while (!is_over.load(std::memory_order_relaxed)) const auto installed = clock.install();
    });
    int good = 0;
    constexpr int kForks = 300;
    for (int i = 0; i < kForks && good == i; ++i) {
        good += in_child([] { return now() <= now(); }) == kGood ? 1 : 0;
    }
    is_over = true;
    EXPECT_EQ(good, kForks);
}

}  // namespace
