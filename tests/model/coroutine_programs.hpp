#pragma once

#include <cstddef>
#include <mutex>
#include <stop_token>

#include <weft/coroutines.hpp>
#include <weft/errors.hpp>
#include <weft/queue.hpp>
#include <weft/threading/condition.hpp>
#include <weft/threading/event.hpp>
#include <weft/threading/lock.hpp>
#include <weft/threading/semaphore.hpp>

#include "coroutines/support.hpp"
#include "model/explore.hpp"

// Programs for the model in which coroutines wait; see programs.hpp.

namespace weft::model {

/// Coroutines, each begun by a thread of its own that waits for its end, and threads share one
/// lock.
inline Program coroutine_lock_program(int coroutines, int threads) {
    return [=](Execution& run) {
        threading::Lock lock;
        int counter = 0;
        const auto work = [&](threading::Event& over) -> test::Detached {
            co_await coroutines::acquire(lock);
            change(counter, 1);
            lock.release();
            over.set();
        };
        for (int i = 0; i < coroutines; ++i) {
            run.thread([&] {
                threading::Event over;
                work(over);
                over.wait();
            });
        }
        for (int i = 0; i < threads; ++i) {
            run.thread([&] {
                lock.acquire();
                change(counter, 1);
                lock.release();
            });
        }
        run.go();
        require(counter == coroutines + threads, "everybody had his turn, alone");
        require(!lock.locked(), "the lock is free in the end");
    };
}

/// One coroutine waits for a lock that is released and for a request to stop, both at once; another
/// waits behind it.
inline Program cancelled_coroutine_lock_program() {
    return [](Execution& run) {
        threading::Lock lock;
        std::stop_source stop;
        int ended = 0;
        const auto work = [&](bool may_stop, threading::Event& over) -> test::Detached {
            std::stop_token token;
            if (may_stop) token = stop.get_token();
            try {
                co_await coroutines::acquire(lock, token);
                lock.release();
            } catch (const Cancelled&) {
            }
            ++ended;
            over.set();
        };
        lock.acquire();
        run.thread([&] {
            threading::Event first;
            threading::Event second;
            work(true, first);
            work(false, second);
            first.wait();
            second.wait();
        });
        run.thread([&] { lock.release(); });
        run.thread([&] { stop.request_stop(); });
        run.go();
        require(ended == 2, "both waits have ended");
        require(!lock.locked(), "the lock is free in the end");
    };
}

/// The same for a permit.
inline Program cancelled_coroutine_semaphore_program() {
    return [](Execution& run) {
        threading::Semaphore semaphore(0);
        std::stop_source stop;
        int taken = 0;
        int ended = 0;
        const auto work = [&]() -> test::Detached {
            try {
                co_await coroutines::acquire(semaphore, stop.get_token());
                ++taken;
            } catch (const Cancelled&) {
            }
            ++ended;
        };
        run.thread([&] { work(); });
        run.thread([&] { semaphore.release(); });
        run.thread([&] { stop.request_stop(); });
        run.go();
        require(ended == 1, "the wait has ended");
        require(semaphore.acquire(false) == (taken == 0), "the permit is not lost");
    };
}

inline Program coroutine_event_program() {
    return [](Execution& run) {
        threading::Event event;
        std::stop_source stop;
        int ended = 0;
        const auto work = [&]() -> test::Detached {
            try {
                co_await coroutines::wait(event, stop.get_token());
                require(event.is_set(), "it is set");
            } catch (const Cancelled&) {
            }
            ++ended;
        };
        run.thread([&] { work(); });
        run.thread([&] { event.set(); });
        run.thread([&] { stop.request_stop(); });
        run.go();
        require(ended == 1, "the wait has ended, once");
    };
}

/// Two notifications for two waiters, of which one may be cancelled and one is a thread.
inline Program coroutine_condition_program() {
    return [](Execution& run) {
        threading::Lock lock;
        threading::Condition condition(lock);
        std::stop_source stop;
        int jobs = 0;
        int done = 0;
        int ended = 0;
        const auto work = [&](bool may_stop) -> test::Detached {
            std::stop_token token;
            if (may_stop) token = stop.get_token();
            const auto held = co_await coroutines::guard(lock);
            try {
                while (jobs == 0) {
                    co_await coroutines::wait(condition, token);
                }
                --jobs;
                ++done;
            } catch (const Cancelled&) {
                if (jobs != 0) condition.notify();
            }
            ++ended;
        };
        run.thread([&] { work(true); });
        run.thread([&] { work(false); });
        run.thread([&] {
            const std::scoped_lock held(lock);
            ++jobs;
            condition.notify();
        });
        run.thread([&] { stop.request_stop(); });
        run.go();
        require(done == 1, "the job was done");
        {
            const std::scoped_lock held(lock);
            ++jobs;
            condition.notify();
        }
        require(ended == 2, "everybody has ended");
        require(!lock.locked(), "the lock is free in the end");
    };
}

/// A coroutine and a thread get what a thread puts; the coroutine may be cancelled.
inline Program coroutine_get_program() {
    return [](Execution& run) {
        queue::Queue<int> queue;
        std::stop_source stop;
        int got_by_coroutine = 0;
        int got_by_thread = 0;
        int ended = 0;
        const auto work = [&]() -> test::Detached {
            try {
                co_await coroutines::get(queue, stop.get_token());
                ++got_by_coroutine;
            } catch (const Cancelled&) {
            }
            ++ended;
        };
        run.thread([&] { work(); });
        run.thread([&] {
            queue.get();
            ++got_by_thread;
        });
        run.thread([&] {
            queue.put(1);
            queue.put(2);
        });
        run.thread([&] { stop.request_stop(); });
        run.go();
        require(ended == 1, "the wait has ended");
        require(got_by_thread == 1, "the thread got an item");
        require(static_cast<int>(queue.qsize()) == 1 - got_by_coroutine, "no item is lost");
    };
}

/// Producers and consumers of a full queue, one of each a coroutine.
inline Program coroutine_put_program() {
    return [](Execution& run) {
        queue::Queue<int> queue(1);
        queue.put(0);
        int put = 0;
        int got = 0;
        const auto producer = [&]() -> test::Detached {
            co_await coroutines::put(queue, 1);
            change(put, 1);
        };
        const auto consumer = [&]() -> test::Detached {
            co_await coroutines::get(queue);
            co_await coroutines::get(queue);
            change(got, 1);
        };
        run.thread([&] { producer(); });
        run.thread([&] { queue.put(2); });
        run.thread([&] { consumer(); });
        run.go();
        require(put == 1 && got == 1, "everything came through");
        require(queue.qsize() == 1, "and one is left");
    };
}

}  // namespace weft::model
