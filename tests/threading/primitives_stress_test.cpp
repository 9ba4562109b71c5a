// Semaphore, Event, Barrier and Timer with every way out of a wait meeting every other, and with
// the count of what went in and came out.

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <stop_token>
#include <thread>
#include <vector>

#include <weft/errors.hpp>
#include <weft/threading/barrier.hpp>
#include <weft/threading/event.hpp>
#include <weft/threading/semaphore.hpp>
#include <weft/threading/timer.hpp>

namespace {

using namespace std::chrono_literals;
using namespace weft::threading;

constexpr int kRounds = 1'000;

/// Calls with a token that is triggered at about the same time.
template <class Wait>
bool with_a_stop(const Wait& wait) {
    std::stop_source source;
    std::jthread canceller([&] { source.request_stop(); });
    try {
        return wait(source.get_token());
    } catch (const weft::Cancelled&) {
        return false;
    }
}

TEST(SemaphoreStress, PermitsInAndOutAgree) {
    constexpr int kThreads = 3;
    Semaphore semaphore(0);
    std::atomic<int> released{0};
    std::atomic<int> acquired{0};
    std::atomic<bool> is_over{false};
    {
        std::vector<std::jthread> takers;
        for (int t = 0; t < kThreads; ++t) {
            takers.emplace_back([&] {
                while (!is_over) acquired += semaphore.acquire() ? 1 : 0;
            });
            takers.emplace_back([&] {
                while (!is_over) acquired += semaphore.acquire(true, 20us) ? 1 : 0;
            });
        }
        takers.emplace_back([&] {
            for (int i = 0; i < kRounds / 5; ++i) {
                acquired += with_a_stop([&](auto stop) { return semaphore.acquire(stop); }) ? 1 : 0;
            }
        });
        {
            std::vector<std::jthread> givers;
            for (int t = 0; t < 2; ++t) {
                givers.emplace_back([&, t] {
                    for (int i = 0; i < kRounds; ++i) {
                        const int n = 1 + (i + t) % 4;
                        semaphore.release(n);
                        released += n;
                        if (i % 16 == 0) std::this_thread::yield();
                    }
                });
            }
        }
        is_over = true;
        // For those who may still be waiting without a limit, and for all who may be quicker.
        semaphore.release(kRounds);
        released += kRounds;
    }
    while (semaphore.acquire(false)) ++acquired;
    EXPECT_EQ(acquired, released);
}

TEST(SemaphoreStress, NeverMoreThreadsInsideThanPermits) {
    constexpr int kPermits = 2;
    BoundedSemaphore semaphore(kPermits);
    std::atomic<int> inside{0};
    std::atomic<int> wrong{0};
    std::atomic<int> turns{0};
    {
        std::vector<std::jthread> threads;
        for (int t = 0; t < 5; ++t) {
            threads.emplace_back([&, t] {
                for (int i = 0; i < kRounds; ++i) {
                    if (t % 2 == 0) {
                        semaphore.acquire();
                    } else if (!semaphore.acquire(true, 50us)) {
                        continue;
                    }
                    if (++inside > kPermits) ++wrong;
                    ++turns;
                    if (i % 4 == 0) std::this_thread::yield();
                    --inside;
                    semaphore.release();
                }
            });
        }
    }
    EXPECT_EQ(wrong, 0);
    EXPECT_GE(turns, 3 * kRounds);
    for (int i = 0; i < kPermits; ++i) EXPECT_TRUE(semaphore.acquire(false));
    EXPECT_FALSE(semaphore.acquire(false));
}

/// Two threads take turns by two events, while others wait with limits and tokens.
TEST(EventStress, EverySetLetsItsWaiterGo) {
    std::array<Event, 2> events;
    std::atomic<bool> is_over{false};
    std::array<int, 2> turns{};
    {
        std::vector<std::jthread> threads;
        for (std::size_t me = 0; me < 2; ++me) {
            threads.emplace_back([&, me] {
                for (int i = 0; i < kRounds; ++i) {
                    events[me].wait();
                    events[me].clear();
                    ++turns[me];
                    events[1 - me].set();
                }
            });
            threads.emplace_back([&, me] {
                while (!is_over) events[me].wait(10us);
            });
        }
        threads.emplace_back([&] {
            while (!is_over) with_a_stop([&](auto stop) { return events[0].wait(stop, 1ms); });
        });
        events[0].set();
        threads[0].join();
        threads[2].join();
        is_over = true;
    }
    EXPECT_EQ(turns[0], kRounds);
    EXPECT_EQ(turns[1], kRounds);
}

/// Waits that end in all ways, resets and aborts: a round ends well for all of its threads or for
/// none, so the passes are a multiple of the parties.
TEST(BarrierStress, RoundsEndWellForAllOrForNone) {
    constexpr int kParties = 3;
    std::atomic<int> actions{0};
    Barrier barrier(kParties, [&] { ++actions; });
    std::atomic<int> passed{0};
    std::atomic<bool> is_over{false};
    {
        std::vector<std::jthread> threads;
        const auto party = [&](auto wait) {
            threads.emplace_back([&, wait] {
                for (int i = 0; i < kRounds; ++i) {
                    try {
                        wait();
                        ++passed;
                    } catch (const BrokenBarrierError&) {
                        barrier.reset();
                    } catch (const weft::Cancelled&) {
                        barrier.reset();
                    }
                }
            });
        };
        party([&] { barrier.wait(200us); });
        party([&] { barrier.wait(100us); });
        party([&] { barrier.wait(std::stop_token(), 150us); });
        party([&] {
            std::stop_source source;
            source.request_stop();
            barrier.wait(source.get_token());
        });
        std::jthread disturber([&] {
            while (!is_over) {
                barrier.abort();
                std::this_thread::yield();
                barrier.reset();
                std::this_thread::yield();
            }
        });
        threads.clear();
        is_over = true;
    }
    // An action that was overtaken by a reset or an abort has run for a round that failed.
    EXPECT_EQ(passed % kParties, 0);
    EXPECT_GE(actions, passed / kParties);
}

TEST(BarrierStress, AThousandRoundsOfManyThreads) {
    constexpr int kParties = 6;
    int rounds = 0;
    Barrier barrier(kParties, [&] { ++rounds; });
    std::atomic<int> sum{0};
    {
        std::vector<std::jthread> threads;
        for (int t = 0; t < kParties; ++t) {
            threads.emplace_back([&] {
                for (int i = 0; i < kRounds; ++i) sum += barrier.wait();
            });
        }
    }
    EXPECT_EQ(rounds, kRounds);
    EXPECT_EQ(sum, kRounds * kParties * (kParties - 1) / 2);
}

TEST(TimerStress, EachRingsOnceOrIsCancelled) {
    std::atomic<int> rings{0};
    int cancelled = 0;
    for (int i = 0; i < kRounds; ++i) {
        Timer timer(std::chrono::microseconds(i % 40), [&] { ++rings; });
        timer.start();
        if (i % 3 == 0) std::this_thread::yield();
        if (i % 2 == 0) timer.cancel();
        timer.join();
        cancelled += timer.cancel() ? 1 : 0;
    }
    EXPECT_EQ(rings + cancelled, kRounds);
}

}  // namespace
