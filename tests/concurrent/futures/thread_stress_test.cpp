// Many threads that submit, cancel, wait and resize: what went in comes out, once.

#include <weft/concurrent/futures.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <cstddef>
#include <functional>
#include <optional>
#include <random>
#include <stdexcept>
#include <thread>
#include <vector>

#include <weft/threading.hpp>

#include "support/budget.hpp"

namespace {

using namespace weft;
using futures::Future;
using futures::ThreadPoolExecutor;

int rounds(int quick) {
    return quick / weft::test::slowness();
}

TEST(ThreadPoolStress, RunsEachCallOnceOrCancelsIt) {
    constexpr int kThreads = 4;
    const int calls = rounds(20'000);
    std::atomic<int> runs = 0;
    std::atomic<int> cancelled = 0;
    std::atomic<int> got = 0;
    ThreadPoolExecutor pool(3);
    {
        std::vector<threading::Joining> threads;
        for (int t = 0; t < kThreads; ++t) {
            threads.emplace_back(threading::Thread([&, t] {
                std::minstd_rand random(static_cast<unsigned>(t + 1));
                std::vector<Future<int>> mine;
                for (int i = 0; i < calls; ++i) {
                    mine.push_back(pool.submit([&runs, i] {
                        ++runs;
                        return i;
                    }));
                    if (random() % 8 == 0) mine[random() % mine.size()].cancel();
                    if (random() % 64 == 0) futures::wait(mine, 0);
                }
                for (int i = 0; i < calls; ++i) {
                    const auto& each = mine[static_cast<std::size_t>(i)];
                    try {
                        EXPECT_EQ(each.result(), i);
                        ++got;
                    } catch (const futures::CancelledError&) {
                        ++cancelled;
                    }
                }
            }));
        }
    }
    EXPECT_EQ(runs, got);
    EXPECT_EQ(got + cancelled, kThreads * calls);
}

TEST(ThreadPoolStress, LosesNoCallWhileWorkersComeAndGo) {
    std::atomic<int> runs = 0;
    ThreadPoolExecutor pool({.max_workers = 4, .idle_timeout = 0});
    const int calls = rounds(4'000);
    {
        std::vector<threading::Joining> threads;
        for (int t = 0; t < 2; ++t) {
            threads.emplace_back(threading::Thread([&] {
                for (int i = 0; i < calls; ++i) {
                    const auto future = pool.submit([&] { ++runs; });
                    if (i % 16 == 0) future.result();
                    if (i % 512 == 0) pool.resize(1 + i / 512 % 4);
                }
            }));
        }
    }
    pool.shutdown();
    EXPECT_EQ(runs, 2 * calls);
}

TEST(ThreadPoolStress, WaitsInsideOfCallsEnd) {
    for (const int workers : {1, 2, 4}) {
        ThreadPoolExecutor pool(workers);
        std::function<long(int, unsigned)> tree = [&](int depth, unsigned seed) -> long {
            if (depth == 0) return 1;
            std::minstd_rand random(seed + 1);
            std::vector<Future<long>> parts;
            for (int i = 0; i < 3; ++i) {
                parts.push_back(pool.submit(tree, depth - 1, static_cast<unsigned>(random())));
            }
            long sum = 0;
            switch (random() % 4) {
                case 0:
                    futures::wait(parts);
                    break;
                case 1:
                    for (auto& each : futures::as_completed(parts)) sum += each.result();
                    return sum;
                case 2:
                    parts.front().result(60);
                    break;
                default:
                    break;
            }
            for (const auto& each : parts) sum += each.result();
            return sum;
        };
        constexpr int depth = 5;  // no more inner nodes than workers may be replaced
        long expected = 1;
        for (int i = 0; i < depth; ++i) expected *= 3;
        EXPECT_EQ(pool.submit(tree, depth, 1u).result(), expected);
    }
}

TEST(ThreadPoolStress, BoundedPoolsThatFeedEachOtherDrain) {
    std::atomic<int> runs = 0;
    ThreadPoolExecutor second({.max_workers = 2, .max_pending = 3});
    ThreadPoolExecutor first({.max_workers = 2, .max_pending = 3});
    const int calls = rounds(5'000);
    for (int i = 0; i < calls; ++i) {
        first.submit([&] { second.submit([&] { ++runs; }); });
    }
    first.shutdown();
    second.shutdown();
    EXPECT_EQ(runs, calls);
}

TEST(ThreadPoolStress, ShutdownAgainstSubmitsLosesNothing) {
    for (int round = 0; round < rounds(300); ++round) {
        ThreadPoolExecutor pool(2);
        std::atomic<int> runs = 0;
        std::atomic<int> taken = 0;
        threading::Joining submitter{threading::Thread([&] {
            try {
                for (;;) {
                    pool.submit([&] { ++runs; });
                    ++taken;
                }
            } catch (const std::runtime_error&) {
                // Refused from now on.
            }
        })};
        while (taken < round % 50) std::this_thread::yield();
        pool.shutdown();
        submitter->join();
        EXPECT_EQ(runs, taken);
    }
}

TEST(ThreadPoolStress, CirclesOfManyThreadsAreAlwaysFoundOut) {
    for (int round = 0; round < rounds(200); ++round) {
        ThreadPoolExecutor pool(4);
        constexpr std::size_t kLength = 5;
        threading::Event known;
        std::vector<Future<>> all(kLength);
        std::vector<Future<>> submitted;
        for (std::size_t i = 0; i < kLength; ++i) {
            submitted.push_back(pool.submit([&, i] {
                known.wait();
                all[(i + 1) % kLength].result();
            }));
        }
        all = submitted;
        known.set();
        for (const auto& each : submitted) EXPECT_THROW(each.result(), futures::DeadlockError);
    }
}

TEST(ThreadPoolStress, MapsOfSeveralThreadsDoNotMix) {
    ThreadPoolExecutor pool(3);
    std::vector<threading::Joining> threads;
    for (int t = 0; t < 3; ++t) {
        threads.emplace_back(threading::Thread([&, t] {
            for (int round = 0; round < rounds(200); ++round) {
                std::vector<int> inputs(50);
                for (std::size_t i = 0; i < 50; ++i) inputs[i] = static_cast<int>(i) * 10 + t;
                int at = 0;
                const futures::MapOptions options{
                    .buffersize = round % 2 == 0 ? std::nullopt : std::optional<std::ptrdiff_t>(7)};
                for (const int n : pool.map(options, [](int m) { return m + 1; }, inputs)) {
                    EXPECT_EQ(n, at * 10 + t + 1);
                    ++at;
                }
                EXPECT_EQ(at, 50);
            }
        }));
    }
}

}  // namespace
