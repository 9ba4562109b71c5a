#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <thread>

#include <weft/manual_clock.hpp>

// What several things that one can wait for have in common. Each check is a case of its own in the
// tests of each of them.

namespace weft::test {

/// `wait`, which nobody ends, returns false after 30 seconds of Weft's clock, and not before.
template <class Wait>
void expect_to_give_up_after_30_seconds(Wait wait) {
    using namespace std::chrono_literals;
    ManualClock clock;
    const auto installed = clock.install();
    std::atomic<bool> is_over{false};
    std::jthread waiter([&] {
        EXPECT_FALSE(wait());
        is_over = true;
    });
    clock.wait_for_sleepers(1);
    clock.advance(29s);
    clock.wait_for_sleepers(1);
    EXPECT_FALSE(is_over);
    clock.advance(1s);
    waiter.join();
}

/// One thread takes it again the moment it has released it; the other must get its turn.
template <class Lockable>
void expect_to_starve_nobody() {
    Lockable lockable;
    std::atomic<bool> is_over{false};
    std::atomic<long> greedy_rounds{0};
    const std::jthread greedy([&] {
        while (!is_over) {
            const std::scoped_lock held(lockable);
            ++greedy_rounds;
        }
    });
    while (greedy_rounds == 0) std::this_thread::yield();
    for (int i = 0; i < 100; ++i) {
        const std::scoped_lock held(lockable);
    }
    is_over = true;
}

/// The release that lets the last one go may still be under way on its thread.
template <class Lockable>
void expect_to_be_destroyed_by_whoever_acquired_it_last() {
    for (int i = 0; i < 2'000; ++i) {
        auto lockable = std::make_unique<Lockable>();
        lockable->acquire();
        std::atomic<bool> is_waiting{false};
        std::jthread last([&] {
            is_waiting = true;
            lockable->acquire();
            lockable.reset();
        });
        while (!is_waiting) std::this_thread::yield();
        lockable->release();
        last.join();
        EXPECT_EQ(lockable, nullptr);
    }
}

}  // namespace weft::test
