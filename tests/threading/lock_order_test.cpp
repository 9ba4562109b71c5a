#include <weft/threading/lock_order.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include <weft/_thread/lock.hpp>
#include <weft/threading/condition.hpp>
#include <weft/threading/lock.hpp>
#include <weft/threading/thread.hpp>
#include <weft/unraisable.hpp>

#include "support/child.hpp"

namespace {

using namespace std::chrono_literals;
using namespace weft::threading;

/// Checks the order, and keeps the warnings, as long as it lives.
class LockOrder : public testing::Test {
protected:
    LockOrder() {
        before_ = weft::set_warning_handler(
            [this](weft::WarningCategory category, std::string_view message) {
                EXPECT_EQ(category, weft::WarningCategory::RuntimeWarning);
                // A handler may take locks, which the checker does not look at.
                const Guard held(of_the_handler_);
                warnings_.emplace_back(message);
            });
        EXPECT_FALSE(check_lock_order());
    }
    ~LockOrder() override {
        EXPECT_TRUE(check_lock_order(false));
        weft::set_warning_handler(before_);
    }

    [[nodiscard]] std::size_t count() const { return warnings_.size(); }
    [[nodiscard]] const std::string& last() const { return warnings_.back(); }

private:
    Lock of_the_handler_;
    std::vector<std::string> warnings_;
    weft::WarningHandler before_;
};

template <class First, class Second>
void take_both(First& first, Second& second) {
    const Guard outer(first);
    const Guard inner(second);
}

void elsewhere(const std::function<void()>& body) {
    std::thread(body).join();
}

TEST_F(LockOrder, SaysNothingOfOneOrder) {
    Lock a;
    Lock b;
    for (int i = 0; i < 3; ++i) {
        take_both(a, b);
        elsewhere([&] { take_both(a, b); });
    }
    EXPECT_EQ(count(), 0U);
}

TEST_F(LockOrder, TellsTheFirstTimeThatTwoLocksAreTakenInBothOrders) {
    Lock a;
    Lock b;
    take_both(a, b);
    elsewhere([&] { take_both(b, a); });
    EXPECT_EQ(count(), 1U);
    elsewhere([&] { take_both(b, a); });
    take_both(a, b);
    EXPECT_EQ(count(), 1U);
}

TEST_F(LockOrder, NamesTheThreadsTheLocksAndBothStacks) {
    Lock a;
    Lock b;
    Thread first({.name = "first"}, [&] { take_both(a, b); });
    first.start();
    first.join();
    Thread second({.name = "second"}, [&] { take_both(b, a); });
    second.start();
    second.join();
    ASSERT_EQ(count(), 1U);
    const auto has = [this](const std::string& text) {
        return last().find(text) != std::string::npos;
    };
    const auto name_of = [](const Lock& lock) {
        const std::string repr = lock.repr();
        return "lock " + repr.substr(repr.find("0x"), repr.size() - repr.find("0x") - 1);
    };
    EXPECT_TRUE(has("thread second wants " + name_of(a) + " and holds " + name_of(b))) << last();
    EXPECT_TRUE(has("thread first wanted " + name_of(b) + " and held " + name_of(a))) << last();
    // The frames of each stack are lines of their own.
    EXPECT_GE(std::ranges::count(last(), '\n'), 2 + 2 * 3) << last();
    EXPECT_TRUE(has("lock_order_test+0x")) << last();
}

/// Does something in place of the handler of warnings, as long as it lives.
class InAWarning {
public:
    explicit InAWarning(std::function<void()> body)
        : before_(weft::set_warning_handler(
              [body = std::move(body)](weft::WarningCategory, std::string_view) { body(); })) {}
    ~InAWarning() { weft::set_warning_handler(before_); }
    InAWarning(const InAWarning&) = delete;
    InAWarning& operator=(const InAWarning&) = delete;

private:
    weft::WarningHandler before_;
};

TEST_F(LockOrder, SeesWhatAHandlerReleases) {
    Lock a;
    Lock b;
    Lock c;
    take_both(a, b);
    {
        const InAWarning releasing([&] { b.release(); });
        b.acquire();
        a.acquire();
    }
    EXPECT_FALSE(b.locked());
    a.release();
    {
        const Guard held(c);  // not while b is held
    }
    take_both(c, b);
    EXPECT_EQ(count(), 0U);
}

TEST_F(LockOrder, SeesWhatAHandlerDestroys) {
    Lock a;
    Lock b;
    Lock c;
    std::optional<Lock> same_place(std::in_place);
    take_both(*same_place, c);
    take_both(a, b);
    {
        const InAWarning destroying([&] { same_place.reset(); });
        take_both(b, a);
    }
    same_place.emplace();
    take_both(c, *same_place);
    EXPECT_EQ(count(), 0U);
}

TEST_F(LockOrder, TellsOfEachCircleAlsoWhenTheHandlerThrows) {
    Lock a;
    Lock b;
    Lock c;
    take_both(a, b);
    take_both(a, c);
    const Guard first(b);
    const Guard second(c);
    int told = 0;
    const InAWarning throwing([&] { throw std::runtime_error(std::to_string(++told)); });
    try {
        a.acquire();
        ADD_FAILURE() << "the handler's exception was lost";
    } catch (const std::runtime_error& error) {
        EXPECT_STREQ(error.what(), "1");
    }
    EXPECT_EQ(told, 2);
    EXPECT_FALSE(a.locked());
}

TEST_F(LockOrder, TellsOfACircleOfThree) {
    Lock a;
    Lock b;
    Lock c;
    take_both(a, b);
    take_both(b, c);
    EXPECT_EQ(count(), 0U);
    take_both(c, a);
    ASSERT_EQ(count(), 1U);
    EXPECT_EQ(std::ranges::count(last(), ':') > 3, true) << last();
    std::size_t earlier = 0;
    for (std::size_t at = last().find(" wanted "); at != std::string::npos;
         at = last().find(" wanted ", at + 1)) {
        ++earlier;
    }
    EXPECT_EQ(earlier, 2U) << last();
}

TEST_F(LockOrder, SaysNothingOfTwoOrdersUnderACommonLockUntilItIsLeftOut) {
    Lock gate;
    Lock a;
    Lock b;
    for (int i = 0; i < 2; ++i) {
        const Guard held(gate);
        take_both(a, b);
        take_both(b, a);
    }
    EXPECT_EQ(count(), 0U);
    // One that does not hold it may meet one that does.
    take_both(a, b);
    EXPECT_EQ(count(), 1U);
    take_both(b, a);
    take_both(a, b);
    EXPECT_EQ(count(), 1U);
}

TEST_F(LockOrder, TellsOfACircleWhoseThreadsHoldDifferentLocksBesides) {
    Lock a;
    Lock b;
    Lock c;
    Lock d;
    {
        const Guard held(c);
        take_both(a, b);
    }
    {
        const Guard held(d);
        take_both(b, a);
    }
    EXPECT_EQ(count(), 1U);
}

TEST_F(LockOrder, TellsBeforeTheThreadWaits) {
    Lock a;
    Lock b;
    take_both(a, b);
    const Guard held(b);
    a.acquire();
    std::optional<std::size_t> when_waiting;
    elsewhere([&] { when_waiting = count(); });
    EXPECT_EQ(when_waiting, 1U);
    a.release();
}

TEST_F(LockOrder, DoesNotTakeTheLockWhenTheHandlerThrows) {
    Lock a;
    Lock b;
    take_both(a, b);
    const weft::WarningHandler before = weft::set_warning_handler(
        [](weft::WarningCategory, std::string_view) { throw std::range_error("no"); });
    {
        const Guard held(b);
        EXPECT_THROW(a.acquire(), std::range_error);
        EXPECT_FALSE(a.locked());
    }
    weft::set_warning_handler(before);
    take_both(b, a);
    EXPECT_FALSE(a.locked());
    EXPECT_FALSE(b.locked());
}

TEST_F(LockOrder, KnowsRecursiveLocks) {
    RLock a;
    Lock b;
    {
        const Guard outer(a);
        const Guard inner(b);
        // Not a wait: the thread owns it.
        const Guard again(a);
    }
    EXPECT_EQ(count(), 0U);
    {
        const Guard outer(a);
        {
            const Guard again(a);
        }
        // Still held.
        const Guard inner(b);
    }
    take_both(b, a);
    EXPECT_EQ(count(), 1U);
}

TEST_F(LockOrder, KnowsTheLockOfACondition) {
    Condition a;
    Lock b;
    take_both(a, b);
    take_both(b, a);
    EXPECT_EQ(count(), 1U);
}

TEST_F(LockOrder, KnowsThatAWaitTakesTheConditionsLockAgain) {
    Lock a;
    Condition b;
    take_both(b, a);
    EXPECT_EQ(count(), 0U);
    b.acquire();
    a.acquire();
    // Takes b while it holds a.
    b.wait(0.001);
    a.release();
    b.release();
    EXPECT_EQ(count(), 1U);
}

TEST_F(LockOrder, ForgetsALockThatAConditionHasReleased) {
    Condition a;
    Lock b;
    {
        const Guard held(a);
        Lock seen;
        std::jthread other([&] {
            const Guard inner(a);
            a.notify();
        });
        a.wait();
    }
    {
        const Guard held(b);
    }
    take_both(b, a);
    EXPECT_EQ(count(), 0U);
}

TEST_F(LockOrder, TakesAttemptsForHeldButNotForWaits) {
    Lock a;
    Lock b;
    take_both(a, b);
    {
        const Guard held(b);
        EXPECT_TRUE(a.try_lock());
        a.release();
        EXPECT_TRUE(a.acquire(false));
        a.release();
        EXPECT_TRUE(a.acquire(true, 0));
        a.release();
        EXPECT_TRUE(a.acquire(true, 10s));
        a.release();
        EXPECT_TRUE(a.try_lock_for(10s));
        a.release();
    }
    EXPECT_EQ(count(), 0U);
    for (const auto attempt : {+[](Lock& lock) { return lock.try_lock(); },
                               +[](Lock& lock) { return lock.acquire(false); },
                               +[](Lock& lock) { return lock.acquire(true, 10s); }}) {
        Lock c;
        Lock d;
        take_both(c, d);
        const std::size_t before = count();
        ASSERT_TRUE(attempt(d));
        {
            const Guard held(c);
        }
        d.release();
        EXPECT_EQ(count(), before + 1);
    }
}

TEST_F(LockOrder, CountsAWaitThatAStopRequestMayEnd) {
    Lock a;
    Lock b;
    take_both(a, b);
    const Guard held(b);
    EXPECT_TRUE(a.acquire(std::stop_token()));
    a.release();
    EXPECT_EQ(count(), 1U);
}

TEST_F(LockOrder, CountsALimitOfMinusOneForNone) {
    Lock a;
    Lock b;
    take_both(a, b);
    const Guard held(b);
    EXPECT_TRUE(a.acquire(true, -1));
    a.release();
    EXPECT_EQ(count(), 1U);
}

TEST_F(LockOrder, ForgetsALockThatAnotherThreadReleases) {
    Lock gate;
    Lock b;
    gate.acquire();
    elsewhere([&] { gate.release(); });
    {
        const Guard held(b);
    }
    take_both(b, gate);
    EXPECT_EQ(count(), 0U);
}

TEST_F(LockOrder, TakesAWaitForALockOfItsOwnForASignal) {
    Lock signal;
    Lock other;
    signal.acquire();
    std::jthread releasing([&] {
        const Guard held(other);
        signal.release();
    });
    signal.acquire();
    signal.release();
    EXPECT_EQ(count(), 0U);
}

TEST_F(LockOrder, ForgetsADestroyedLock) {
    Lock a;
    Lock b;
    {
        Lock between;
        take_both(a, between);
        take_both(between, b);
    }
    take_both(b, a);
    EXPECT_EQ(count(), 0U);
    // And a lock that is destroyed while it is held.
    {
        Lock locked;
        locked.acquire();
    }
    Lock c;
    take_both(c, a);
    EXPECT_EQ(count(), 0U);
}

TEST_F(LockOrder, DoesNotTakeANewLockForAnOldOneAtItsPlace) {
    Lock a;
    for (int i = 0; i < 100; ++i) {
        std::optional<Lock> same_place;
        same_place.emplace();
        if (i % 2 == 0) {
            take_both(a, *same_place);
        } else {
            take_both(*same_place, a);
        }
    }
    EXPECT_EQ(count(), 0U);
}

TEST_F(LockOrder, StopsAtItsMostPairsAndSaysSo) {
    std::vector<std::unique_ptr<Lock>> locks;
    for (int i = 0; i < 200; ++i) locks.push_back(std::make_unique<Lock>());
    for (const auto& each : locks) each->acquire();  // 19'900 pairs
    for (const auto& each : locks) each->release();
    EXPECT_EQ(count(), 1U);
    EXPECT_NE(last().find("16384"), std::string::npos) << last();
}

TEST_F(LockOrder, MayBeSwitchedOffWhileLocksAreHeld) {
    Lock a;
    Lock b;
    take_both(a, b);
    {
        const Guard held(b);
        EXPECT_TRUE(check_lock_order(false));
        a.acquire();
    }
    EXPECT_TRUE(b.acquire(false));
    b.release();
    EXPECT_FALSE(check_lock_order(true));
    a.release();
    EXPECT_FALSE(a.locked());
    take_both(b, a);
    EXPECT_EQ(count(), 0U);
}

TEST_F(LockOrder, LosesNothingAmongManyThreads) {
    std::vector<std::unique_ptr<Lock>> locks;
    for (int i = 0; i < 6; ++i) locks.push_back(std::make_unique<Lock>());
    long counter = 0;
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
        threads.emplace_back([&, t] {
            for (int i = 0; i < 300; ++i) {
                const Guard first(*locks[static_cast<std::size_t>((i + t) % 5)]);
                const Guard last(*locks[5]);
                ++counter;
            }
        });
    }
    threads.clear();
    EXPECT_EQ(counter, 1200);
    EXPECT_EQ(count(), 0U);
    for (const auto& each : locks) EXPECT_FALSE(each->locked());
}

TEST(LockOrderVariable, BeginsTheCheckWhenTheProgramStarts) {
    using weft::test::run_child;
    const auto checked = run_child("lock_order_ways", {.arguments = {"both_orders"},
                                                       .environment = {{"WEFT_LOCK_ORDER", "1"}}});
    EXPECT_TRUE(checked.exited_with(0)) << checked.describe();
    EXPECT_TRUE(checked.error.starts_with("weft: RuntimeWarning: lock order:")) << checked.error;
    const auto unchecked =
        run_child("lock_order_ways",
                  {.arguments = {"both_orders"}, .environment = {{"WEFT_LOCK_ORDER", "0"}}});
    EXPECT_TRUE(unchecked.exited_with(0)) << unchecked.describe();
    EXPECT_EQ(unchecked.error, "");
}

TEST(LockOrderVariable, BeginsAnewInAForkedChild) {
    const auto result = weft::test::run_child(
        "lock_order_ways", {.arguments = {"fork"}, .environment = {{"WEFT_LOCK_ORDER", "1"}}});
    EXPECT_TRUE(result.exited_with(0)) << result.describe();
    EXPECT_EQ(result.output, "child: 1\nparent: 1\n") << result.describe();
}

}  // namespace
