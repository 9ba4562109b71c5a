#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>

#include <weft/threading/barrier.hpp>
#include <weft/threading/event.hpp>
#include <weft/threading/semaphore.hpp>

#include "model/explore.hpp"

// Programs for the model that use semaphores, events and barriers; see programs.hpp.

namespace weft::model {

/// Some threads share some permits; what is inside must never be more than there are permits.
inline Program semaphore_program(int threads, int rounds, int permits) {
    return [=](Execution& run) {
        threading::BoundedSemaphore semaphore(permits);
        int inside = 0;
        int turns = 0;
        for (int i = 0; i < threads; ++i) {
            run.thread([&, rounds, permits] {
                for (int n = 0; n < rounds; ++n) {
                    semaphore.acquire();
                    ++inside;
                    require(inside <= permits, "no more threads than permits");
                    pause_here();
                    --inside;
                    ++turns;
                    semaphore.release();
                }
            });
        }
        run.go();
        require(turns == threads * rounds, "everybody had his turns");
        for (int i = 0; i < permits; ++i) require(semaphore.acquire(false), "a permit is back");
        require(!semaphore.acquire(false), "and no more than that");
    };
}

/// One of three waits with a limit and gives what it got on, so that the other two always get
/// theirs.
inline Program timed_semaphore_program() {
    return [](Execution& run) {
        threading::Semaphore semaphore(0);
        run.thread([&] {
            if (semaphore.acquire(true, std::chrono::milliseconds(1))) semaphore.release();
        });
        for (int i = 0; i < 2; ++i) {
            run.thread([&] { semaphore.acquire(); });
        }
        run.thread([&] {
            semaphore.release();
            semaphore.release();
        });
        run.go();
        require(!semaphore.acquire(false), "both permits were taken");
    };
}

/// One release for several waiters.
inline Program semaphore_release_of_two_program() {
    return [](Execution& run) {
        threading::Semaphore semaphore(0);
        for (int i = 0; i < 2; ++i) {
            run.thread([&] { semaphore.acquire(); });
        }
        run.thread([&] { semaphore.release(2); });
        run.go();
        require(!semaphore.acquire(false), "both permits were taken");
    };
}

inline Program event_program(int waiters) {
    return [=](Execution& run) {
        threading::Event event;
        int seen = 0;
        for (int i = 0; i < waiters; ++i) {
            run.thread([&] {
                require(event.wait(), "a wait without a limit ends with the event");
                ++seen;
            });
        }
        run.thread([&] { event.set(); });
        run.go();
        require(seen == waiters, "everybody was let go");
        require(event.is_set(), "it is set in the end");
    };
}

/// A waiter with a limit, so that set() may find the trace of somebody who has left.
inline Program timed_event_program() {
    return [](Execution& run) {
        threading::Event event;
        run.thread([&] { event.wait(std::chrono::milliseconds(1)); });
        run.thread([&] { event.wait(); });
        run.thread([&] { event.set(); });
        run.go();
        require(event.is_set(), "it is set in the end");
    };
}

/// Every round brings all together: who goes on finds that all have arrived.
inline Program barrier_program(int parties, int rounds) {
    return [=](Execution& run) {
        int actions = 0;
        int arrived = 0;
        threading::Barrier barrier(parties, [&] { ++actions; });
        for (int i = 0; i < parties; ++i) {
            run.thread([&, parties, rounds] {
                for (int n = 1; n <= rounds; ++n) {
                    ++arrived;
                    const int index = barrier.wait();
                    require(index >= 0 && index < parties, "it has a place");
                    require(arrived >= n * parties, "all have arrived");
                    require(actions >= n, "the action has run");
                }
            });
        }
        run.go();
        require(actions == rounds, "the action has run once a round");
        require(barrier.n_waiting() == 0 && !barrier.broken(), "it is whole in the end");
    };
}

/// One of the parties has a limit: the round ends in the same way for all.
inline Program timed_barrier_program(int parties) {
    return [=](Execution& run) {
        threading::Barrier barrier(parties);
        int passed = 0;
        for (int i = 0; i < parties; ++i) {
            run.thread([&, i] {
                try {
                    barrier.wait(i == 0 ? Timeout(std::chrono::milliseconds(1)) : Timeout());
                    ++passed;
                } catch (const threading::BrokenBarrierError&) {
                    pause_here();
                }
            });
        }
        run.go();
        require(passed == (barrier.broken() ? 0 : parties), "all or none");
    };
}

/// The action of the first round resets the barrier, while another thread arrives.
inline Program reset_by_action_program() {
    return [](Execution& run) {
        threading::Barrier* itself = nullptr;
        int actions = 0;
        threading::Barrier barrier(1, [&] {
            require(++actions <= 2, "two rounds, two actions");
            if (actions == 1) itself->reset();
        });
        itself = &barrier;
        int passed = 0;
        for (int i = 0; i < 2; ++i) {
            run.thread([&] {
                try {
                    barrier.wait();
                    ++passed;
                } catch (const threading::BrokenBarrierError&) {
                }
            });
        }
        run.go();
        require(passed == 1 && actions == 2, "the round that was reset fails, the other does not");
    };
}

}  // namespace weft::model
