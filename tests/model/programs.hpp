#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <cstddef>
#include <cstdint>

#include <weft/_thread/lock.hpp>
#include <weft/detail/low_lock.hpp>
#include <weft/detail/wait_list.hpp>

#include "model/explore.hpp"

// Programs for the model that are tried on the engines as they are, where nothing may be found, and
// on engines that were broken on purpose, where the model must find it.

namespace weft::model {

/// Exhaustive within the bounds as far as a short run goes, then random without them.
inline testing::AssertionResult is_right(const Program& program, const Bounds& bounds = {}) {
    const bool is_full = is_full_run();
    Bounds wider = bounds;
    if (is_full) ++wider.preemptions;
    const auto report = explore(program, wider, is_full ? 400'000 : 15'000);
    if (report.has_failed) return holds(report);
    return holds(sample(program, bounds, is_full ? 80'000 : 4'000, 20'240'607));
}

inline constexpr std::int64_t kStarves = 2'000'000;  ///< a look at the clock outlasts patience

inline Program low_lock_program(int threads, int rounds) {
    return [=](Execution& run) {
        detail::LowLock lock;
        int counter = 0;
        for (int i = 0; i < threads; ++i) {
            run.thread([&, rounds] {
                for (int n = 0; n < rounds; ++n) {
                    lock.lock();
                    change(counter, 1);
                    lock.unlock();
                }
            });
        }
        run.go();
        require(counter == threads * rounds, "the lock excludes");
        lock.lock();  // a deadlock if it is not free in the end
    };
}

/// A number of permits, published as the comment of WaitList demands.
struct Permits {
    detail::Atomic<int> available{0};
    detail::WaitList list;

    void give(int count) {
        available.fetch_add(count);
        list.notify(static_cast<std::size_t>(count));
    }
    detail::WaitEnd take(const detail::WaitLimits& limits = {}) {
        auto attempt = [this] {
            int seen = available.load();
            while (seen > 0) {
                if (available.compare_exchange_strong(seen, seen - 1)) return true;
            }
            return false;
        };
        return list.wait(attempt, limits);
    }
};

inline Program permits_program() {
    return [](Execution& run) {
        Permits permits;
        run.thread([&] { require(permits.take() == detail::WaitEnd::notified, "it was woken"); });
        run.thread([&] { permits.give(1); });
        run.go();
        require(permits.list.is_empty(), "nobody is listed");
    };
}

/// A taker with a limit gives its permit on, so that the other one always gets one.
inline Program timed_permits_program() {
    return [](Execution& run) {
        Permits permits;
        run.thread([&] {
            const auto deadline = detail::Deadline::after(std::chrono::milliseconds(1));
            if (permits.take({.deadline = deadline}) == detail::WaitEnd::notified) permits.give(1);
        });
        run.thread([&] {
            require(permits.take() == detail::WaitEnd::notified, "the untimed one has its permit");
        });
        run.thread([&] { permits.give(1); });
        run.go();
    };
}

inline Program lock_program(int threads, int rounds) {
    return [=](Execution& run) {
        _thread::LockType lock;
        int counter = 0;
        for (int i = 0; i < threads; ++i) {
            run.thread([&, rounds] {
                for (int n = 0; n < rounds; ++n) {
                    lock.acquire();
                    change(counter, 1);
                    lock.release();
                }
            });
        }
        run.go();
        require(counter == threads * rounds, "the lock excludes");
        require(!lock.locked(), "the lock is free in the end");
    };
}

inline Program timed_lock_program() {
    return [](Execution& run) {
        _thread::LockType lock;
        int counter = 0;
        int expected = 2;
        run.thread([&] {
            if (!lock.acquire(true, std::chrono::milliseconds(1))) {
                --expected;
                return;
            }
            change(counter, 1);
            lock.release();
        });
        for (int i = 0; i < 2; ++i) {
            run.thread([&] {
                lock.acquire();
                change(counter, 1);
                lock.release();
            });
        }
        ++expected;
        run.go();
        require(counter == expected, "the lock excludes");
        require(!lock.locked(), "the lock is free in the end");
    };
}

}  // namespace weft::model
