// Semaphore, Event and Barrier in every interleaving within bounds.

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <stdexcept>
#include <stop_token>
#include <utility>

#include <weft/errors.hpp>
#include <weft/threading/barrier.hpp>
#include <weft/threading/event.hpp>
#include <weft/threading/semaphore.hpp>

#include "model/explore.hpp"
#include "primitive_programs.hpp"
#include "programs.hpp"

namespace {

using namespace std::chrono_literals;
using namespace weft::model;
using weft::threading::Barrier;
using weft::threading::BoundedSemaphore;
using weft::threading::BrokenBarrierError;
using weft::threading::Event;
using weft::threading::Semaphore;

// Semaphore ---------------------------------------------------------------------------------------

TEST(SemaphoreModel, OnePermitForTwoThreads) {
    EXPECT_TRUE(is_right(semaphore_program(2, 2, 1), {.spurious = 1, .weak_failures = 1}));
}
TEST(SemaphoreModel, OnePermitForThreeThreads) {
    EXPECT_TRUE(is_right(semaphore_program(3, 2, 1)));
}
TEST(SemaphoreModel, TwoPermitsForThreeThreads) {
    EXPECT_TRUE(is_right(semaphore_program(3, 2, 2)));
}
TEST(SemaphoreModel, SeveralCpus) {
    EXPECT_TRUE(is_right(semaphore_program(2, 2, 1), {.cpus = 2, .nanoseconds_per_look = 1'500}));
}
TEST(SemaphoreModel, HandsPermitsToTheStarving) {
    EXPECT_TRUE(is_right(semaphore_program(2, 3, 1), {.nanoseconds_per_look = kStarves}));
    EXPECT_TRUE(is_right(semaphore_program(3, 2, 1), {.nanoseconds_per_look = kStarves}));
    EXPECT_TRUE(is_right(semaphore_program(4, 1, 2), {.nanoseconds_per_look = kStarves}));
}

TEST(SemaphoreModel, AReleaseOfTwoLetsTwoGo) {
    EXPECT_TRUE(is_right(semaphore_release_of_two_program(), {.preemptions = 3}));
}

TEST(SemaphoreModel, ATimeoutTakesNobodysPermit) {
    EXPECT_TRUE(is_right(timed_semaphore_program()));
    EXPECT_TRUE(is_right(timed_semaphore_program(), {.nanoseconds_per_look = kStarves / 4}));
}

TEST(SemaphoreModel, ACancelRacesWithRelease) {
    EXPECT_TRUE(is_right([](Execution& run) {
        Semaphore semaphore(0);
        std::stop_source source;
        bool was_taken = false;
        run.thread([&] {
            try {
                was_taken = semaphore.acquire(source.get_token());
            } catch (const weft::Cancelled&) {
            }
        });
        run.thread([&] { source.request_stop(); });
        run.thread([&] { semaphore.release(); });
        run.go();
        require(semaphore.acquire(false) != was_taken, "the permit was taken or is left");
    }));
}

TEST(SemaphoreModel, MayBeDestroyedByWhoeverAcquiresLast) {
    const Program program = [](Execution& run) {
        auto semaphore = std::make_unique<Semaphore>(0);
        run.thread([&] { semaphore->release(); });
        run.thread([&] {
            semaphore->acquire();
            semaphore.reset();
        });
        run.go();
    };
    EXPECT_TRUE(is_right(program, {.preemptions = 3}));
    EXPECT_TRUE(is_right(program, {.preemptions = 3, .nanoseconds_per_look = kStarves}));
}

/// Two releases of one permit, while another thread may take it: each that is accepted adds one.
TEST(SemaphoreModel, ABoundHoldsAgainstReleasesAtOnce) {
    EXPECT_TRUE(is_right([](Execution& run) {
        BoundedSemaphore semaphore(1);
        semaphore.acquire();
        int balance = 0;
        for (int i = 0; i < 2; ++i) {
            run.thread([&] {
                try {
                    semaphore.release();
                    ++balance;
                } catch (const std::invalid_argument&) {
                    // The other was first.
                }
            });
        }
        run.thread([&] {
            semaphore.acquire();
            --balance;
        });
        run.go();
        require(balance == 0 || balance == 1, "between nothing and the limit");
        require(semaphore.acquire(false) == (balance == 1), "what was accepted is there");
    }));
}

// Event -------------------------------------------------------------------------------------------

TEST(EventModel, LetsOneWaiterGo) {
    EXPECT_TRUE(is_right(event_program(1), {.preemptions = 4, .spurious = 1, .weak_failures = 1}));
}
TEST(EventModel, LetsTwoWaitersGo) {
    EXPECT_TRUE(is_right(event_program(2), {.preemptions = 3}));
}
TEST(EventModel, SeveralCpus) {
    EXPECT_TRUE(is_right(event_program(2), {.cpus = 2, .nanoseconds_per_look = 1'500}));
}
TEST(EventModel, ATimedWaitRacesWithSet) {
    EXPECT_TRUE(is_right(timed_event_program()));
}

/// Who waits when it is set goes on, although it is cleared at once; else a second set() lets it
/// go.
TEST(EventModel, ClearHoldsNobodyBack) {
    EXPECT_TRUE(is_right([](Execution& run) {
        Event event;
        for (int i = 0; i < 2; ++i) {
            run.thread([&] { require(event.wait(), "the event came"); });
        }
        run.thread([&] {
            event.set();
            event.clear();
            event.set();
        });
        run.go();
        require(event.is_set(), "it is set in the end");
    }));
}

TEST(EventModel, TwoSettersAndAWaiter) {
    EXPECT_TRUE(is_right([](Execution& run) {
        Event event;
        int said = 0;
        for (int i = 0; i < 2; ++i) {
            run.thread([&] {
                change(said, 0);
                event.set();
            });
        }
        run.thread([&] {
            event.wait();
            event.clear();
        });
        run.thread([&] { event.wait(1ms); });
        run.go();
    }));
}

TEST(EventModel, AStopEndsAWaitOrTheEventDoes) {
    EXPECT_TRUE(is_right([](Execution& run) {
        Event event;
        std::stop_source source;
        run.thread([&] {
            try {
                event.wait(source.get_token());
            } catch (const weft::Cancelled&) {
            }
        });
        run.thread([&] { source.request_stop(); });
        run.thread([&] { event.set(); });
        run.go();
        require(event.is_set(), "it is set in the end");
    }));
}

TEST(EventModel, MayBeDestroyedByTheThreadThatItHasWoken) {
    const auto program = [](weft::Timeout limit) -> Program {
        return [limit](Execution& run) {
            auto event = std::make_unique<Event>();
            run.thread([&] { event->set(); });
            run.thread([&, limit] {
                while (!event->wait(limit)) {
                }
                event.reset();
            });
            run.go();
        };
    };
    EXPECT_TRUE(is_right(program({}), {.preemptions = 4}));
    EXPECT_TRUE(is_right(program(1ms), {.preemptions = 4}));
}

// Barrier -----------------------------------------------------------------------------------------

TEST(BarrierModel, TwoPartiesTwoRounds) {
    EXPECT_TRUE(is_right(barrier_program(2, 2), {.spurious = 1}));
}
TEST(BarrierModel, ThreePartiesTwoRounds) {
    EXPECT_TRUE(is_right(barrier_program(3, 2)));
}
TEST(BarrierModel, SeveralCpus) {
    EXPECT_TRUE(is_right(barrier_program(2, 2), {.cpus = 2, .nanoseconds_per_look = 1'500}));
}
TEST(BarrierModel, ATimeoutBreaksTheRoundOfAllOrOfNone) {
    EXPECT_TRUE(is_right(timed_barrier_program(2), {.preemptions = 4}));
    EXPECT_TRUE(is_right(timed_barrier_program(3)));
}
TEST(BarrierModel, AnActionMayResetTheBarrierWhileOthersArrive) {
    EXPECT_TRUE(is_right(reset_by_action_program(), {.preemptions = 3}));
}

/// Two parties, and a third thread that ends the round in its own way.
template <class Act>
Program disturbed_program(Act act) {
    return [act](Execution& run) {
        int actions = 0;
        Barrier barrier(2, [&] { ++actions; });
        int passed = 0;
        for (int i = 0; i < 2; ++i) {
            run.thread([&] {
                try {
                    barrier.wait();
                    ++passed;
                } catch (const BrokenBarrierError&) {
                }
            });
        }
        run.thread([&] { act(barrier); });
        run.go();
        require(passed == 0 || passed == 2, "both or none");
        require(actions <= 1 && (passed == 0 || actions == 1), "the action runs once at most");
    };
}

TEST(BarrierModel, AnAbortBreaksTheRoundOfBothOrOfNone) {
    EXPECT_TRUE(is_right(disturbed_program([](Barrier& barrier) {
                             barrier.abort();
                             require(barrier.broken(), "it is broken at once");
                         }),
                         {.preemptions = 3}));
}

/// Who fails by a reset arrives again, until both have passed.
TEST(BarrierModel, AResetFailsARoundAndTheNextOneIsWhole) {
    EXPECT_TRUE(is_right([](Execution& run) {
        Barrier barrier(2, [] {});
        int failures = 0;
        for (int i = 0; i < 2; ++i) {
            run.thread([&] {
                for (;;) {
                    try {
                        barrier.wait();
                        return;
                    } catch (const BrokenBarrierError&) {
                        require(++failures <= 2, "one reset fails one round");
                    }
                }
            });
        }
        run.thread([&] { barrier.reset(); });
        run.go();
        require(!barrier.broken() && barrier.n_waiting() == 0, "it is whole in the end");
    }));
}

TEST(BarrierModel, AStopBreaksTheRoundOfBothOrOfNone) {
    EXPECT_TRUE(is_right([](Execution& run) {
        Barrier barrier(2);
        std::stop_source source;
        int passed = 0;
        bool was_cancelled = false;
        run.thread([&] {
            try {
                barrier.wait(source.get_token());
                ++passed;
            } catch (const weft::Cancelled&) {
                was_cancelled = true;
            }
        });
        run.thread([&] {
            try {
                barrier.wait();
                ++passed;
            } catch (const BrokenBarrierError&) {
            }
        });
        run.thread([&] { source.request_stop(); });
        run.go();
        require(passed == (was_cancelled ? 0 : 2), "both or none");
        require(barrier.broken() == was_cancelled, "it is broken if one has left");
    }));
}

TEST(BarrierModel, MayBeDestroyedByWhoeverReturnsFirst) {
    EXPECT_TRUE(is_right(
        [](Execution& run) {
            auto barrier = std::make_unique<Barrier>(3);
            bool is_gone = false;
            for (int i = 0; i < 3; ++i) {
                run.thread([&] {
                    barrier->wait();
                    if (!std::exchange(is_gone, true)) barrier.reset();
                });
            }
            run.go();
        },
        {.cpus = 2, .nanoseconds_per_look = 1'500}));
}

/// Four threads at a barrier of two: the second round may begin while the first is leaving, or
/// while its action runs.
TEST(BarrierModel, ARoundMayBeginWhileTheLastOneLeaves) {
    EXPECT_TRUE(is_right([](Execution& run) {
        int actions = 0;
        int acting = 0;
        Barrier barrier(2, [&] {
            require(++acting == 1, "one action at a time");
            pause_here();
            --acting;
            ++actions;
        });
        int passed = 0;
        for (int i = 0; i < 4; ++i) {
            run.thread([&] {
                barrier.wait();
                ++passed;
            });
        }
        run.go();
        require(passed == 4 && actions == 2, "two rounds of two");
    }));
}

}  // namespace
