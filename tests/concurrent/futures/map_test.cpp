#include <weft/concurrent/futures.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cstddef>
#include <forward_list>
#include <latch>
#include <memory>
#include <ranges>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <weft/manual_clock.hpp>
#include <weft/threading.hpp>

namespace {

using namespace std::chrono_literals;
using namespace weft;
using futures::ManualExecutor;
using futures::ThreadPoolExecutor;
using testing::ElementsAre;
using threading::Event;

int square(int n) {
    return n * n;
}

template <class Results>
auto taken(Results results) {
    std::vector<typename Results::value_type> all;
    for (auto& each : results) all.push_back(each);
    return all;
}

TEST(Map, GivesResultsInTheOrderOfTheInputs) {
    std::vector<int> inputs(1000);
    int n = 0;
    ThreadPoolExecutor pool(4);
    for (std::size_t i = 0; i < inputs.size(); ++i) inputs[i] = static_cast<int>(i);
    for (const int result : pool.map(square, inputs)) {
        EXPECT_EQ(result, n * n);
        ++n;
    }
    EXPECT_EQ(n, 1000);
}

TEST(Map, TakesABracedList) {
    ThreadPoolExecutor pool(2);
    EXPECT_THAT(taken(pool.map(square, {1, 2, 3})), ElementsAre(1, 4, 9));
    EXPECT_THAT(taken(pool.map({.buffersize = 1}, square, {1, 2, 3})), ElementsAre(1, 4, 9));
}

TEST(Map, RunsThroughSeveralRangesToTheEndOfTheShortest) {
    const std::vector<int> numbers{1, 2, 3};
    ThreadPoolExecutor pool(2);
    const std::forward_list<std::string> words{"a", "b"};
    const auto repeat = [](int n, const std::string& word) {
        return std::string(static_cast<std::size_t>(n), word[0]);
    };
    EXPECT_THAT(taken(pool.map(repeat, numbers, words)), ElementsAre("a", "bb"));
}

TEST(Map, OfNothingIsEmpty) {
    ThreadPoolExecutor pool(2);
    EXPECT_THAT(taken(pool.map(square, std::vector<int>())), ElementsAre());
    EXPECT_EQ(pool.stats().workers, 0u);
}

TEST(Map, OfAFunctionThatReturnsNothing) {
    std::atomic<int> sum = 0;
    int steps = 0;
    ThreadPoolExecutor pool(2);
    for ([[maybe_unused]] auto& each : pool.map([&](int n) { sum += n; }, {1, 2, 3})) ++steps;
    EXPECT_EQ(sum, 6);
    EXPECT_EQ(steps, 3);
}

TEST(Map, GivesReferences) {
    std::vector<int> numbers{1, 2, 3};
    ThreadPoolExecutor pool(2);
    const auto at = [&](std::size_t i) -> int& { return numbers[i]; };
    for (int& each : pool.map(at, std::vector<std::size_t>{0, 2})) each = 7;
    EXPECT_THAT(numbers, ElementsAre(7, 2, 7));
}

TEST(Map, MovesInputsOutOfAnRvalue) {
    std::vector<std::unique_ptr<int>> boxes;
    ThreadPoolExecutor pool(2);
    for (int i = 0; i < 3; ++i) boxes.push_back(std::make_unique<int>(i));
    const auto open = [](std::unique_ptr<int> box) { return *box; };
    EXPECT_THAT(taken(pool.map(open, std::move(boxes))), ElementsAre(0, 1, 2));
}

TEST(Map, SubmitsEverythingBeforeAnyResultIsTaken) {
    std::atomic<int> runs = 0;
    ThreadPoolExecutor pool(2);
    pool.map([&](int) { ++runs; }, std::views::iota(0, 10));
    pool.shutdown();
    EXPECT_EQ(runs, 10);
}

TEST(Map, MakesACallOfEachInputForOtherExecutors) {
    ManualExecutor by_hand;
    auto results = by_hand.map(square, {2, 3});
    EXPECT_EQ(by_hand.pending(), 2u);
    by_hand.run_all();
    EXPECT_THAT(taken(std::move(results)), ElementsAre(4, 9));
}

TEST(Map, RunsAsManyCallsAtOnceAsThereAreWorkers) {
    std::latch all(3);
    ThreadPoolExecutor pool(3);
    EXPECT_EQ(taken(pool.map(
                        [&](int n) {
                            all.arrive_and_wait();
                            return n;
                        },
                        {1, 2, 3}))
                  .size(),
              3u);
}

TEST(Map, ThrowsWhatACallThrewAtItsPlaceAndEnds) {
    ThreadPoolExecutor pool(1);
    auto results = pool.map([](int n) { return 10 / (n == 0 ? throw std::domain_error("0") : n); },
                            {5, 2, 0, 1});
    auto at = results.begin();
    EXPECT_EQ(*at, 2);
    EXPECT_EQ(*++at, 5);
    EXPECT_THROW(++at, std::domain_error);
    EXPECT_TRUE(at == results.end());
}

TEST(Map, ThrowsWhenTheTimeIsUpAndCancelsTheRest) {
    ManualClock clock;
    const auto installed = clock.install();
    std::atomic<int> runs = 0;
    Event go;
    ThreadPoolExecutor pool(1);
    auto results = pool.map({.timeout = 5s},
                            [&](int n) {
                                ++runs;
                                if (n == 2) go.wait();
                                return n;
                            },
                            {1, 2, 3, 4});
    auto at = results.begin();
    EXPECT_EQ(*at, 1);
    // Now the worker is in the second call, or will be: nothing else ends this wait.
    threading::Joining mover{threading::Thread([&] {
        clock.wait_for_sleepers(1);
        clock.advance(5s);
    })};
    EXPECT_THROW(++at, TimeoutError);
    go.set();
    pool.shutdown();
    EXPECT_EQ(runs, 2);
}

TEST(Map, CancelsTheRestWhenItIsLeftEarly) {
    std::atomic<int> runs = 0;
    Event go;
    ThreadPoolExecutor pool(1);
    for (const int n : pool.map(
             [&](int input) {
                 ++runs;
                 if (input == 2) go.wait();
                 return input;
             },
             {1, 2, 3, 4})) {
        EXPECT_EQ(n, 1);
        break;
    }
    go.set();
    pool.shutdown();
    EXPECT_LE(runs, 2);
}

TEST(Map, CancelsTheRestWhenTheExecutorDoes) {
    Event begun;
    Event go;
    ThreadPoolExecutor pool(1);
    auto results = pool.map(
        [&](int n) {
            begun.set();
            go.wait();
            return n;
        },
        {1, 2, 3});
    begun.wait();
    pool.shutdown({.wait = false, .cancel_futures = true});
    go.set();
    auto at = results.begin();
    EXPECT_EQ(*at, 1);
    EXPECT_THROW(++at, futures::CancelledError);
}

TEST(Map, CancelsTheRestWhenAManualExecutorDoes) {
    ManualExecutor by_hand;
    auto results = by_hand.map(square, {1, 2});
    by_hand.shutdown({.cancel_futures = true});
    EXPECT_THROW(results.begin(), futures::CancelledError);
}

TEST(Map, ReadsInputsAsResultsAreTakenWithABuffer) {
    int read = 0;
    ThreadPoolExecutor pool(2);
    auto inputs = std::views::iota(0) | std::views::transform([&](int n) {
                      ++read;
                      return n;
                  });
    auto results = pool.map({.buffersize = 3}, square, inputs);
    EXPECT_EQ(read, 3);
    auto at = results.begin();
    EXPECT_EQ(read, 3);
    for (int n = 0; n < 100; ++n) {
        EXPECT_EQ(*at, n * n);
        ++at;
        EXPECT_EQ(read, n + 4);
    }
}

TEST(Map, EndsWithABufferToo) {
    ThreadPoolExecutor pool(2);
    EXPECT_THAT(taken(pool.map({.buffersize = 2}, square, std::views::iota(1, 6))),
                ElementsAre(1, 4, 9, 16, 25));
    EXPECT_THAT(taken(pool.map({.buffersize = 20}, square, std::views::iota(1, 6))),
                ElementsAre(1, 4, 9, 16, 25));
}

TEST(Map, RefusesABufferBelowOne) {
    ThreadPoolExecutor pool(1);
    EXPECT_THROW(pool.map({.buffersize = 0}, square, {1}), std::invalid_argument);
    EXPECT_THROW(pool.map({.buffersize = -1}, square, {1}), std::invalid_argument);
}

TEST(Map, AcceptsAnyChunksize) {
    ThreadPoolExecutor pool(1);
    for (const std::ptrdiff_t size : {-1, 0, 1, 100}) {
        EXPECT_THAT(taken(pool.map({.chunksize = size}, square, {1, 2})), ElementsAre(1, 4));
    }
}

TEST(Map, LetsAResultGoWithTheNextStep) {
    ThreadPoolExecutor pool(1);
    const auto kept = std::make_shared<int>(1);
    auto results = pool.map([&](int) { return std::weak_ptr<int>(kept).lock(); }, {1, 2});
    auto at = results.begin();
    std::weak_ptr<int> first = *at;
    ++at;
    ++at;
    EXPECT_EQ(kept.use_count(), 1);
}

TEST(Map, InACallOfItsOwnPoolEnds) {
    ThreadPoolExecutor pool(1);
    const auto sum = pool.submit([&] {
        int all = 0;
        for (const int n : pool.map(square, {1, 2, 3})) all += n;
        return all;
    });
    EXPECT_EQ(sum.result(), 14);
}

TEST(Map, IsRefusedAfterShutdown) {
    ThreadPoolExecutor pool(1);
    pool.shutdown();
    EXPECT_THROW(pool.map(square, {1}), std::runtime_error);
}

}  // namespace
