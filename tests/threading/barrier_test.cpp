#include <weft/threading/barrier.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <latch>
#include <memory>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include <weft/errors.hpp>
#include <weft/manual_clock.hpp>

namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using weft::ManualClock;
using weft::threading::Barrier;
using weft::threading::BrokenBarrierError;

void wait_until_waiting(const Barrier& barrier, int count) {
    while (barrier.n_waiting() < count) std::this_thread::yield();
}

/// Threads that wait at a barrier, and how their waits have ended.
class Parties {
public:
    explicit Parties(Barrier& barrier) : barrier_(barrier) {}

    /// One more, with a wait of its own kind.
    void add(std::function<int(Barrier&)> wait = [](Barrier& barrier) { return barrier.wait(); }) {
        threads_.emplace_back([this, wait] {
            try {
                wait(barrier_);
                ++passed_;
            } catch (const BrokenBarrierError&) {
                ++broken_;
            } catch (const weft::Cancelled&) {
                ++cancelled_;
            }
        });
    }
    void add(int count) {
        for (int i = 0; i < count; ++i) add();
    }
    /// Ends, passed, broken and cancelled, once all have.
    std::vector<int> join() {
        threads_.clear();
        return {passed_, broken_, cancelled_};
    }
    [[nodiscard]] int passed() const { return passed_; }
    [[nodiscard]] int broken() const { return broken_; }

private:
    Barrier& barrier_;
    std::atomic<int> passed_{0};
    std::atomic<int> broken_{0};
    std::atomic<int> cancelled_{0};
    std::vector<std::jthread> threads_;
};

TEST(Barrier, RefusesLessThanOneParty) {
    for (const int parties : {0, -4}) {
        try {
            Barrier barrier(parties);
            ADD_FAILURE() << "made with " << parties;
        } catch (const std::invalid_argument& error) {
            EXPECT_THAT(error.what(), HasSubstr("parties is " + std::to_string(parties)));
        }
    }
}

TEST(Barrier, OfOneNeverBlocks) {
    int actions = 0;
    Barrier barrier(1, [&] { ++actions; });
    EXPECT_EQ(barrier.wait(), 0);
    EXPECT_EQ(barrier.wait(0), 0);
    EXPECT_EQ(barrier.wait(std::stop_token()), 0);
    EXPECT_EQ(actions, 3);
    EXPECT_FALSE(barrier.broken());
}

TEST(Barrier, TellsHowManyItIsFor) {
    Barrier barrier(7);
    EXPECT_EQ(barrier.parties(), 7);
    EXPECT_EQ(barrier.n_waiting(), 0);
    EXPECT_FALSE(barrier.broken());
}

TEST(Barrier, LetsNobodyGoBeforeAllHaveArrived) {
    Barrier barrier(4);
    Parties parties(barrier);
    parties.add(3);
    wait_until_waiting(barrier, 3);
    EXPECT_EQ(barrier.n_waiting(), 3);
    EXPECT_EQ(parties.passed(), 0);
    barrier.wait();
    EXPECT_EQ(barrier.n_waiting(), 0);
    EXPECT_THAT(parties.join(), testing::ElementsAre(3, 0, 0));
}

TEST(Barrier, GivesEachThreadOfARoundItsOwnNumber) {
    constexpr int kParties = 4;
    constexpr int kRounds = 200;
    Barrier barrier(kParties);
    std::vector<std::vector<int>> numbers(kRounds);
    for (auto& round : numbers) round.resize(kParties);
    {
        std::vector<std::jthread> threads;
        for (std::size_t t = 0; t < kParties; ++t) {
            threads.emplace_back([&, t] {
                for (auto& round : numbers) round[t] = barrier.wait();
            });
        }
    }
    for (auto& round : numbers) {
        std::ranges::sort(round);
        EXPECT_THAT(round, testing::ElementsAre(0, 1, 2, 3));
    }
}

TEST(Barrier, NobodyIsARoundAhead) {
    constexpr int kParties = 5;
    constexpr int kRounds = 1'000;
    Barrier barrier(kParties);
    std::atomic<int> arrived{0};
    std::atomic<int> wrong{0};
    {
        std::vector<std::jthread> threads;
        for (int t = 0; t < kParties; ++t) {
            threads.emplace_back([&] {
                for (int round = 0; round < kRounds; ++round) {
                    ++arrived;
                    barrier.wait();
                    const int seen = arrived;
                    if (seen < kParties * (round + 1) || seen > kParties * (round + 2)) ++wrong;
                }
            });
        }
    }
    EXPECT_EQ(arrived, kParties * kRounds);
    EXPECT_EQ(wrong, 0);
}

TEST(Barrier, RunsTheActionOnceARoundBeforeAnybodyIsReleased) {
    constexpr int kParties = 3;
    constexpr int kRounds = 300;
    int actions = 0;  // not atomic: the barrier orders it
    Barrier barrier(kParties, [&] { ++actions; });
    std::atomic<int> wrong{0};
    {
        std::vector<std::jthread> threads;
        for (int t = 0; t < kParties; ++t) {
            threads.emplace_back([&] {
                for (int round = 1; round <= kRounds; ++round) {
                    barrier.wait();
                    // The next round cannot be complete before this thread has arrived in it.
                    if (actions != round) ++wrong;
                }
            });
        }
    }
    EXPECT_EQ(actions, kRounds);
    EXPECT_EQ(wrong, 0);
}

TEST(Barrier, RunsTheActionInTheLastToArrive) {
    std::thread::id actor;
    Barrier barrier(2, [&] { actor = std::this_thread::get_id(); });
    std::thread::id other;
    int others_number = -1;
    std::jthread first([&] { others_number = barrier.wait(); });
    other = first.get_id();
    wait_until_waiting(barrier, 1);
    EXPECT_EQ(barrier.wait(), 1);
    first.join();
    EXPECT_EQ(others_number, 0);
    EXPECT_EQ(actor, std::this_thread::get_id());
    EXPECT_NE(actor, other);
}

TEST(Barrier, AnActionThatThrowsBreaksIt) {
    Barrier barrier(3, [] { throw std::out_of_range("from the action"); });
    Parties parties(barrier);
    parties.add(2);
    wait_until_waiting(barrier, 2);
    EXPECT_THROW(barrier.wait(), std::out_of_range);
    EXPECT_THAT(parties.join(), testing::ElementsAre(0, 2, 0));
    EXPECT_TRUE(barrier.broken());
    EXPECT_THROW(barrier.wait(), BrokenBarrierError);
    barrier.reset();
    EXPECT_FALSE(barrier.broken());
}

TEST(Barrier, ActionCannotWaitForItsOwnBarrier) {
    Barrier* itself = nullptr;
    std::string what;
    Barrier barrier(1, [&] {
        try {
            itself->wait();
        } catch (const std::runtime_error& error) {
            what = error.what();
        }
    });
    itself = &barrier;
    EXPECT_EQ(barrier.wait(), 0);
    EXPECT_THAT(what, HasSubstr("action"));
    EXPECT_FALSE(barrier.broken());
}

TEST(Barrier, AWaiterWhoseTimeIsUpBreaksItForEverybody) {
    ManualClock clock;
    const auto installed = clock.install();
    Barrier barrier(4);
    Parties parties(barrier);
    parties.add(2);
    parties.add([](Barrier& each) { return each.wait(10s); });
    wait_until_waiting(barrier, 3);
    clock.wait_for_sleepers(1);
    clock.advance(9s);
    clock.wait_for_sleepers(1);
    EXPECT_FALSE(barrier.broken());
    clock.advance(1s);
    EXPECT_THAT(parties.join(), testing::ElementsAre(0, 3, 0));
    EXPECT_TRUE(barrier.broken());
    EXPECT_EQ(barrier.n_waiting(), 0);
    EXPECT_THROW(barrier.wait(1h), BrokenBarrierError);
}

TEST(Barrier, ZeroAndNegativeLimitsBreakItUnlessAllAreThere) {
    Barrier barrier(2);
    EXPECT_THROW(barrier.wait(0), BrokenBarrierError);
    EXPECT_TRUE(barrier.broken());
    barrier.reset();
    EXPECT_THROW(barrier.wait(-1), BrokenBarrierError);
    barrier.reset();
    Parties parties(barrier);
    parties.add();
    wait_until_waiting(barrier, 1);
    EXPECT_EQ(barrier.wait(0), 1);
    EXPECT_THAT(parties.join(), testing::ElementsAre(1, 0, 0));
}

TEST(Barrier, TheConstructorsLimitIsForWaitsWithoutOne) {
    ManualClock clock;
    const auto installed = clock.install();
    Barrier barrier(2, {}, 30s);
    {
        Parties parties(barrier);
        parties.add();
        clock.wait_for_sleepers(1);
        clock.advance(30s);
        EXPECT_THAT(parties.join(), testing::ElementsAre(0, 1, 0));
    }
    barrier.reset();
    Parties parties(barrier);
    parties.add([](Barrier& each) { return each.wait(60s); });
    clock.wait_for_sleepers(1);
    clock.advance(30s);
    clock.wait_for_sleepers(1);
    EXPECT_FALSE(barrier.broken());
    EXPECT_EQ(barrier.wait(), 1);
    EXPECT_THAT(parties.join(), testing::ElementsAre(1, 0, 0));
}

TEST(Barrier, AStopBreaksIt) {
    Barrier barrier(3);
    std::stop_source source;
    Parties parties(barrier);
    parties.add();
    parties.add([&](Barrier& each) { return each.wait(source.get_token()); });
    wait_until_waiting(barrier, 2);
    source.request_stop();
    EXPECT_THAT(parties.join(), testing::ElementsAre(0, 1, 1));
    EXPECT_TRUE(barrier.broken());
}

TEST(Barrier, TheLastOneGoesOnInSpiteOfAStop) {
    Barrier barrier(2);
    std::stop_source source;
    source.request_stop();
    Parties parties(barrier);
    parties.add();
    wait_until_waiting(barrier, 1);
    EXPECT_EQ(barrier.wait(source.get_token(), 1h), 1);
    EXPECT_THAT(parties.join(), testing::ElementsAre(1, 0, 0));
    EXPECT_THROW(barrier.wait(source.get_token()), weft::Cancelled);
    EXPECT_TRUE(barrier.broken());
}

TEST(Barrier, AbortBreaksItUntilReset) {
    Barrier barrier(3);
    Parties parties(barrier);
    parties.add(2);
    wait_until_waiting(barrier, 2);
    barrier.abort();
    EXPECT_TRUE(barrier.broken());
    EXPECT_EQ(barrier.n_waiting(), 0);
    EXPECT_THAT(parties.join(), testing::ElementsAre(0, 2, 0));
    EXPECT_THROW(barrier.wait(), BrokenBarrierError);
    barrier.abort();
    EXPECT_TRUE(barrier.broken());
    barrier.reset();
    EXPECT_FALSE(barrier.broken());
    Parties again(barrier);
    again.add(2);
    wait_until_waiting(barrier, 2);
    EXPECT_EQ(barrier.wait(), 2);
    EXPECT_THAT(again.join(), testing::ElementsAre(2, 0, 0));
}

TEST(Barrier, ResetFailsThoseWhoWaitAndNobodyElse) {
    Barrier barrier(3);
    barrier.reset();
    Parties parties(barrier);
    parties.add(2);
    wait_until_waiting(barrier, 2);
    barrier.reset();
    EXPECT_FALSE(barrier.broken());
    EXPECT_EQ(barrier.n_waiting(), 0);
    EXPECT_THAT(parties.join(), testing::ElementsAre(0, 2, 0));
    Parties again(barrier);
    again.add(2);
    wait_until_waiting(barrier, 2);
    barrier.wait();
    EXPECT_THAT(again.join(), testing::ElementsAre(2, 0, 0));
}

/// A barrier of two whose action stays until the test lets it go on.
class SlowAction {
public:
    SlowAction() {
        parties.add(2);
        begun_.wait();
    }
    void let_end() { may_end_.count_down(); }
    Barrier barrier{2, [this] {
                        if (++actions != 1) return;
                        begun_.count_down();
                        may_end_.wait();
                    }};
    Parties parties{barrier};
    std::atomic<int> actions{0};

private:
    std::latch begun_{1};
    std::latch may_end_{1};
};

TEST(BarrierAction, KeepsItsRoundTogetherWhenALimitPasses) {
    ManualClock clock;
    const auto installed = clock.install();
    std::latch begun(1);
    std::latch may_end(1);
    Barrier barrier(2, [&] {
        begun.count_down();
        may_end.wait();
    });
    Parties parties(barrier);
    parties.add([](Barrier& each) { return each.wait(10s); });
    clock.wait_for_sleepers(1);
    parties.add();
    begun.wait();
    clock.advance(20s);
    // The one whose time was up sleeps on without a limit.
    while (clock.sleepers() != 0) std::this_thread::yield();
    EXPECT_FALSE(barrier.broken());
    may_end.count_down();
    EXPECT_THAT(parties.join(), testing::ElementsAre(2, 0, 0));
}

TEST(BarrierAction, HoldsNewArrivalsBack) {
    ManualClock clock;
    const auto installed = clock.install();
    SlowAction slow;
    EXPECT_EQ(slow.barrier.n_waiting(), 2);
    Parties later(slow.barrier);
    later.add([](Barrier& each) { return each.wait(1h); });
    later.add([](Barrier& each) { return each.wait(1h); });
    clock.wait_for_sleepers(2);
    EXPECT_EQ(slow.actions, 1);
    EXPECT_EQ(later.passed(), 0);
    slow.let_end();
    EXPECT_THAT(slow.parties.join(), testing::ElementsAre(2, 0, 0));
    EXPECT_THAT(later.join(), testing::ElementsAre(2, 0, 0));
    EXPECT_EQ(slow.actions, 2);
}

TEST(BarrierAction, CanBeAbortedMeanwhile) {
    SlowAction slow;
    slow.barrier.abort();
    EXPECT_TRUE(slow.barrier.broken());
    EXPECT_THROW(slow.barrier.wait(), BrokenBarrierError);
    while (slow.parties.broken() < 1) std::this_thread::yield();
    slow.let_end();
    EXPECT_THAT(slow.parties.join(), testing::ElementsAre(0, 2, 0));
    EXPECT_TRUE(slow.barrier.broken());
}

TEST(BarrierAction, IsOfARoundThatWasReset) {
    ManualClock clock;
    const auto installed = clock.install();
    SlowAction slow;
    slow.barrier.reset();
    while (slow.parties.broken() < 1) std::this_thread::yield();
    EXPECT_FALSE(slow.barrier.broken());
    EXPECT_EQ(slow.barrier.n_waiting(), 0);
    // The next round does not begin, and its action does not run, beside the one that still runs.
    Parties later(slow.barrier);
    later.add([](Barrier& each) { return each.wait(1h); });
    later.add([](Barrier& each) { return each.wait(1h); });
    clock.wait_for_sleepers(2);
    EXPECT_EQ(slow.barrier.n_waiting(), 0);
    EXPECT_EQ(slow.actions, 1);
    slow.let_end();
    EXPECT_THAT(slow.parties.join(), testing::ElementsAre(0, 2, 0));
    EXPECT_THAT(later.join(), testing::ElementsAre(2, 0, 0));
    EXPECT_EQ(slow.actions, 2);
}

TEST(BarrierAction, MayBeAbortedAndResetMeanwhile) {
    SlowAction slow;
    slow.barrier.abort();
    slow.barrier.reset();
    EXPECT_FALSE(slow.barrier.broken());
    slow.let_end();
    EXPECT_THAT(slow.parties.join(), testing::ElementsAre(0, 2, 0));
    EXPECT_FALSE(slow.barrier.broken());
    Parties again(slow.barrier);
    again.add(2);
    EXPECT_THAT(again.join(), testing::ElementsAre(2, 0, 0));
}

TEST(BarrierAction, MayAbortOrResetItsBarrier) {
    Barrier* itself = nullptr;
    bool aborts = true;
    Barrier barrier(1, [&] { aborts ? itself->abort() : itself->reset(); });
    itself = &barrier;
    EXPECT_THROW(barrier.wait(), BrokenBarrierError);
    EXPECT_TRUE(barrier.broken());
    barrier.reset();
    aborts = false;
    EXPECT_THROW(barrier.wait(), BrokenBarrierError);
    EXPECT_FALSE(barrier.broken());
}

TEST(BarrierAction, ThatThrowsAfterAResetLeavesTheBarrierWhole) {
    Barrier* itself = nullptr;
    Barrier barrier(1, [&] {
        itself->reset();
        throw std::out_of_range("after the reset");
    });
    itself = &barrier;
    EXPECT_THROW(barrier.wait(), std::out_of_range);
    EXPECT_FALSE(barrier.broken());
}

TEST(Barrier, MayBeDestroyedByWhoeverReturnsFirst) {
    constexpr int kParties = 3;
    for (int i = 0; i < 1'000; ++i) {
        auto barrier = std::make_unique<Barrier>(kParties);
        std::atomic<bool> is_gone{false};
        {
            std::vector<std::jthread> threads;
            for (int t = 0; t < kParties; ++t) {
                threads.emplace_back([&] {
                    barrier->wait();
                    if (!is_gone.exchange(true)) barrier.reset();
                });
            }
        }
        EXPECT_EQ(barrier, nullptr);
    }
}

TEST(Barrier, TextFormShowsWhoWaitsOrThatItIsBroken) {
    Barrier barrier(3);
    EXPECT_THAT(barrier.repr(), testing::StartsWith("<weft::threading::Barrier at 0x"));
    EXPECT_THAT(barrier.repr(), testing::EndsWith(": waiters=0/3>"));
    Parties parties(barrier);
    parties.add();
    wait_until_waiting(barrier, 1);
    EXPECT_THAT(barrier.repr(), testing::EndsWith(": waiters=1/3>"));
    barrier.abort();
    EXPECT_THAT(barrier.repr(), testing::EndsWith(": broken>"));
    parties.join();
}

TEST(BrokenBarrierError, IsARuntimeError) {
    Barrier barrier(2);
    barrier.abort();
    try {
        barrier.wait();
        ADD_FAILURE() << "nothing was thrown";
    } catch (const std::runtime_error& error) {
        EXPECT_NE(dynamic_cast<const BrokenBarrierError*>(&error), nullptr);
        EXPECT_THAT(error.what(), HasSubstr("broken"));
    }
}

}  // namespace
