#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <cstddef>
#include <cstdint>

#include <weft/_thread/lock.hpp>
#include <weft/detail/bounded_word_queue.hpp>
#include <weft/detail/low_lock.hpp>
#include <weft/detail/task_count.hpp>
#include <weft/detail/wait_list.hpp>
#include <weft/detail/word_queue.hpp>

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

/// A full queue, producers that wait for room, and a consumer that makes it.
inline Program full_queue_program(int bound, int producers) {
    return [=](Execution& run) {
        detail::BoundedWordQueue queue(bound);
        for (int i = 0; i < bound; ++i) queue.try_push(0);
        for (int i = 0; i < producers; ++i) {
            run.thread([&] {
                require(queue.push(1, nullptr, {}) == detail::Passage::passed, "it had room");
            });
        }
        run.thread([&] {
            for (int i = 0; i < producers; ++i) {
                detail::BoundedWordQueue::Taken taken;
                require(queue.pop(taken, {}) == detail::Passage::passed, "it got a word");
            }
        });
        run.go();
        require(queue.size() == static_cast<std::size_t>(bound), "each word was put once");
    };
}

/// A larger bound has room for both producers while a word is out, which goes nowhere before both
/// have passed.
inline Program larger_bound_program() {
    return [](Execution& run) {
        detail::BoundedWordQueue queue(1);
        detail::WordQueue passed;
        queue.try_push(1);
        for (int i = 0; i < 2; ++i) {
            run.thread([&] {
                require(queue.push(2, nullptr, {}) == detail::Passage::passed, "it had room");
                passed.push(1);
            });
        }
        run.thread([&] { queue.set_maxsize(3); });
        run.thread([&] {
            detail::BoundedWordQueue::Taken taken;
            require(queue.try_pop_held(taken) == detail::Passage::passed, "it got the word");
            for (int i = 0; i < 2; ++i) {
                detail::WordQueue::Taken each;
                require(passed.pop(each, {}) == detail::WaitEnd::notified, "it passed");
            }
            queue.settle(taken);
        });
        run.go();
        require(queue.size() == 2, "both words are there");
    };
}

/// A shutdown ends the wait of a producer, of a consumer, and, being immediate, of a joiner.
inline Program shut_down_program() {
    return [](Execution& run) {
        detail::BoundedWordQueue full(1);
        detail::BoundedWordQueue empty(1);
        full.try_push(1);
        run.thread([&] {
            require(full.push(2, nullptr, {}) == detail::Passage::shut_down, "it was told");
        });
        run.thread([&] {
            detail::BoundedWordQueue::Taken taken;
            require(empty.pop(taken, {}) == detail::Passage::shut_down, "it was told");
        });
        run.thread(
            [&] { require(full.tasks().join({}) == detail::WaitEnd::notified, "all is done"); });
        run.thread([&] {
            detail::BoundedWordQueue::Contents contents;
            full.shut_down(true, contents);
            std::uint64_t word = 0;
            require(contents.next(word) && word == 1, "the word came out");
            detail::BoundedWordQueue::Contents nothing;
            empty.shut_down(false, nothing);
        });
        run.go();
        require(full.size() == 0 && full.tasks().unfinished() == 0, "nothing is left");
    };
}

inline Program tasks_program() {
    return [](Execution& run) {
        detail::Atomic<std::uint64_t> put{2};
        detail::TaskCount tasks(put);
        run.thread([&] { require(tasks.join({}) == detail::WaitEnd::notified, "all is done"); });
        for (int i = 0; i < 2; ++i) {
            run.thread([&] { require(tasks.finish_one(), "there was a task"); });
        }
        run.go();
        require(tasks.unfinished() == 0, "both are counted");
    };
}

}  // namespace weft::model
