#include <weft/sched.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <weft/errors.hpp>
#include <weft/manual_clock.hpp>

namespace {

using namespace std::chrono_literals;
using weft::sched::Event;
using weft::sched::scheduler;

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

/// A scheduler whose time passes only where it waits, and what it did.
struct Simulation {
    double time = 0.0;
    std::vector<double> delays;
    std::vector<int> done;
    scheduler s{[this] { return time; },
                [this](double delay) {
                    delays.push_back(delay);
                    time += delay;
                }};

    auto note(int number) {
        return [this, number] { done.push_back(number); };
    }
};

using Numbers = std::vector<int>;

TEST(Scheduler, RunsEventsInTheOrderOfTheirTimes) {
    Simulation sim;
    for (const int at : {5, 1, 4, 2, 3}) sim.s.enterabs(at, 1, sim.note(at));
    sim.s.run();
    EXPECT_EQ(sim.done, (Numbers{1, 2, 3, 4, 5}));
    EXPECT_EQ(sim.time, 5.0);
}

TEST(Scheduler, RunsEventsOfOneTimeInTheOrderOfTheirPriorities) {
    Simulation sim;
    for (const int priority : {3, -1, 2, 0}) sim.s.enterabs(1, priority, sim.note(priority));
    sim.s.run();
    EXPECT_EQ(sim.done, (Numbers{-1, 0, 2, 3}));
}

TEST(Scheduler, RunsEventsOfOneTimeAndPriorityInTheOrderOfEntry) {
    Simulation sim;
    for (int i = 0; i < 1000; ++i) sim.s.enterabs(1, 1, sim.note(i));
    sim.s.run();
    ASSERT_EQ(sim.done.size(), 1000u);
    for (int i = 0; i < 1000; ++i) ASSERT_EQ(sim.done[static_cast<std::size_t>(i)], i);
}

TEST(Scheduler, TakesPlusAndMinusZeroForOneTime) {
    Simulation sim;
    sim.s.enterabs(0.0, 1, sim.note(1));
    sim.s.enterabs(-0.0, 1, sim.note(2));
    sim.s.run();
    EXPECT_EQ(sim.done, (Numbers{1, 2}));
}

TEST(Scheduler, OrdersTimesOfBothSignsAndInfiniteOnes) {
    Simulation sim;
    sim.time = 10.0;
    sim.s.enterabs(3.5, 1, sim.note(4));
    sim.s.enterabs(-kInfinity, 1, sim.note(1));
    sim.s.enterabs(-2.0, 1, sim.note(3));
    sim.s.enterabs(-1e300, 1, sim.note(2));
    EXPECT_EQ(sim.s.run(false), std::nullopt);
    EXPECT_EQ(sim.done, (Numbers{1, 2, 3, 4}));
}

TEST(Scheduler, EntersRelativeToTheClock) {
    Simulation sim;
    sim.time = 100.0;
    const Event event = sim.s.enter(2.5, 1, sim.note(1));
    EXPECT_EQ(event.time, 102.5);
}

TEST(Scheduler, TakesDurationsForSeconds) {
    Simulation sim;
    EXPECT_EQ(sim.s.enter(1500ms, 1, [] {}).time, 1.5);
    EXPECT_EQ(sim.s.enterabs(2min, 1, [] {}).time, 120.0);
    EXPECT_EQ(sim.s.enterabs(std::chrono::sys_seconds(7s), 1, [] {}).time, 7.0);
}

TEST(Scheduler, CallsTheActionWithItsArguments) {
    Simulation sim;
    std::string text;
    int target = 0;
    sim.s.enter(
        1, 1, [&](int n, const std::string& word) { text = word + std::to_string(n); }, 5, "five");
    sim.s.enter(2, 1, [](int& to, int value) { to = value; }, std::ref(target), 7);
    sim.s.run();
    EXPECT_EQ(text, "five5");
    EXPECT_EQ(target, 7);
}

TEST(Scheduler, MovesArgumentsIntoAnActionThatTakesThemSo) {
    Simulation sim;
    int got = 0;
    sim.s.enter(1, 1, [&](std::unique_ptr<int> value) { got = *value; }, std::make_unique<int>(4));
    sim.s.enter(2, 1, [held = std::make_unique<int>(5), &got]() mutable { got += (*held)++; });
    sim.s.run();
    EXPECT_EQ(got, 9);
}

TEST(Scheduler, CallsMembersOfObjects) {
    struct Counter {
        int count = 0;
        void add(int n) { count += n; }
    } counter;
    Simulation sim;
    sim.s.enter(1, 1, &Counter::add, &counter, 3);
    sim.s.run();
    EXPECT_EQ(counter.count, 3);
}

TEST(Scheduler, RefusesATimeThatIsNotANumber) {
    Simulation sim;
    EXPECT_THROW(sim.s.enterabs(kNaN, 1, [] {}), std::invalid_argument);
    EXPECT_THROW(sim.s.enter(kNaN, 1, [] {}), std::invalid_argument);
    EXPECT_TRUE(sim.s.empty());
    scheduler real;
    EXPECT_THROW(real.enter(kNaN, 1, [] {}), std::invalid_argument);
    EXPECT_THROW(real.delayfunc(kNaN), std::invalid_argument);
}

TEST(Scheduler, RefusesAClockThatReturnsNotANumber) {
    scheduler s([] { return kNaN; }, [](double) {});
    EXPECT_THROW((void)s.timefunc(), std::invalid_argument);
    s.enterabs(1, 1, [] {});
    EXPECT_THROW(s.run(), std::invalid_argument);
    EXPECT_FALSE(s.empty());
}

TEST(Scheduler, DelaysByWhatIsLeftAndByZeroAfterEachAction) {
    Simulation sim;
    sim.s.enterabs(2, 1, sim.note(1));
    sim.s.enterabs(5, 1, sim.note(2));
    sim.s.run();
    EXPECT_EQ(sim.delays, (std::vector<double>{2.0, 0.0, 3.0, 0.0}));
}

TEST(Scheduler, LooksAtTheClockAgainWhenADelayWasTooShort) {
    double time = 0.0;
    int ran = 0;
    int delays = 0;
    scheduler s([&] { return time; },
                [&](double left) {
                    ++delays;
                    time += left / 2 + 0.25;
                });
    s.enterabs(4, 1, [&] { ++ran; });
    s.run();
    EXPECT_EQ(ran, 1);
    EXPECT_GT(delays, 2);
}

TEST(Scheduler, RunsOnWhenTheClockGoesBack) {
    double time = 10.0;
    Numbers done;
    scheduler s([&] { return time; }, [&](double left) { time += left; });
    s.enterabs(10, 1, [&] {
        done.push_back(1);
        time = 0.0;
    });
    s.enterabs(11, 1, [&] { done.push_back(2); });
    s.run();
    EXPECT_EQ(done, (Numbers{1, 2}));
    EXPECT_EQ(time, 11.0);
}

TEST(Scheduler, GivesADelayFunctionThatWantsOneADuration) {
    double time = 0.0;
    std::chrono::duration<double> longest{};
    scheduler s([&] { return time; },
                [&](std::chrono::duration<double> left) {
                    longest = (std::max)(longest, left);
                    time += left.count();
                });
    s.enter(3, 1, [] {});
    s.run();
    EXPECT_EQ(longest, 3s);
}

TEST(Scheduler, TakesClocksThatReturnDurationsAndTimePoints) {
    EXPECT_EQ(scheduler([] { return 1500ms; }, [](double) {}).timefunc(), 1.5);
    EXPECT_EQ(scheduler([] { return std::chrono::sys_seconds(3s); }, [](double) {}).timefunc(),
              3.0);
    EXPECT_EQ(scheduler([] { return 7; }, [](double) {}).timefunc(), 7.0);
}

TEST(Scheduler, RunWithoutBlockingRunsWhatIsDueAndTellsHowLongItIsToTheNext) {
    Simulation sim;
    sim.s.enterabs(1, 1, sim.note(1));
    sim.s.enterabs(2, 1, sim.note(2));
    sim.s.enterabs(10, 1, sim.note(3));
    sim.time = 4.0;
    EXPECT_EQ(sim.s.run(false), std::optional(6.0));
    EXPECT_EQ(sim.done, (Numbers{1, 2}));
    EXPECT_EQ(sim.time, 4.0);
    sim.time = 10.0;
    EXPECT_EQ(sim.s.run(false), std::nullopt);
    EXPECT_EQ(sim.done, (Numbers{1, 2, 3}));
}

TEST(Scheduler, RunOfNothingReturnsAtOnce) {
    Simulation sim;
    EXPECT_EQ(sim.s.run(true), std::nullopt);
    EXPECT_TRUE(sim.delays.empty());
}

TEST(Scheduler, AnActionMayEnterEvents) {
    Simulation sim;
    sim.s.enterabs(1, 1, [&] {
        sim.done.push_back(1);
        sim.s.enterabs(3, 1, sim.note(3));
        sim.s.enterabs(2, 1, sim.note(2));
        sim.s.enterabs(0, 1, sim.note(0));
    });
    sim.s.enterabs(4, 1, sim.note(4));
    sim.s.run();
    EXPECT_EQ(sim.done, (Numbers{1, 0, 2, 3, 4}));
}

TEST(Scheduler, AnActionMayCancelEvents) {
    Simulation sim;
    const Event later = sim.s.enterabs(2, 1, sim.note(2));
    sim.s.enterabs(1, 1, [&] { sim.s.cancel(later); });
    sim.s.run();
    EXPECT_TRUE(sim.done.empty());
}

TEST(Scheduler, AnActionMayRunTheSchedulerItself) {
    Simulation sim;
    sim.s.enterabs(1, 1, [&] {
        sim.s.run();
        sim.done.push_back(1);
    });
    sim.s.enterabs(2, 1, sim.note(2));
    sim.s.run();
    EXPECT_EQ(sim.done, (Numbers{2, 1}));
}

TEST(Scheduler, AnEventIsGoneFromTheQueueWhenItsActionRuns) {
    Simulation sim;
    bool was_empty = false;
    std::optional<Event> self;
    self = sim.s.enterabs(1, 1, [&] {
        was_empty = sim.s.empty();
        EXPECT_THROW(sim.s.cancel(*self), std::invalid_argument);
    });
    sim.s.run();
    EXPECT_TRUE(was_empty);
}

TEST(Scheduler, AnExceptionOfAnActionLeavesTheOtherEventsForALaterRun) {
    Simulation sim;
    sim.s.enterabs(1, 1, [] { throw std::domain_error("one"); });
    sim.s.enterabs(2, 1, sim.note(2));
    EXPECT_THROW(sim.s.run(), std::domain_error);
    EXPECT_EQ(sim.s.queue().size(), 1u);
    sim.s.run();
    EXPECT_EQ(sim.done, (Numbers{2}));
}

TEST(Scheduler, AnExceptionOfTheDelayFunctionLeavesTheEventQueued) {
    double time = 0.0;
    bool fails = true;
    int ran = 0;
    scheduler s([&] { return time; },
                [&](double left) {
                    if (std::exchange(fails, false)) throw std::domain_error("delay");
                    time += left;
                });
    s.enterabs(1, 1, [&] { ++ran; });
    EXPECT_THROW(s.run(), std::domain_error);
    EXPECT_FALSE(s.empty());
    s.run();
    EXPECT_EQ(ran, 1);
}

TEST(Scheduler, AnExceptionOfTheClockScheduledNothing) {
    bool fails = true;
    scheduler s([&]() -> double {
        if (fails) throw std::domain_error("clock");
        return 0.0;
    });
    EXPECT_THROW(s.enter(1, 1, [] {}), std::domain_error);
    fails = false;
    EXPECT_TRUE(s.empty());
}

TEST(Scheduler, CancelRemovesExactlyThatEvent) {
    Simulation sim;
    std::vector<Event> events;
    for (int i = 0; i < 5; ++i) events.push_back(sim.s.enterabs(1, 1, sim.note(i)));
    sim.s.cancel(events[2]);
    EXPECT_EQ(sim.s.queue().size(), 4u);
    sim.s.run();
    EXPECT_EQ(sim.done, (Numbers{0, 1, 3, 4}));
}

TEST(Scheduler, CancelOfAnEventThatIsNotQueuedSaysSo) {
    Simulation sim;
    scheduler other;
    const Event twice = sim.s.enterabs(1, 1, [] {});
    sim.s.cancel(twice);
    EXPECT_THROW(sim.s.cancel(twice), std::invalid_argument);
    const Event ran = sim.s.enterabs(1, 1, [] {});
    sim.s.run();
    EXPECT_THROW(sim.s.cancel(ran), std::invalid_argument);
    const Event foreign = other.enterabs(1, 1, [] {});
    try {
        sim.s.cancel(foreign);
        FAIL() << "cancelled another scheduler's event";
    } catch (const std::invalid_argument& error) {
        EXPECT_STREQ(error.what(),
                     "cancel: Event(time=1, priority=1, sequence=0) is not in the queue: it is "
                     "another scheduler's, or was moved from");
    }
    EXPECT_FALSE(other.empty());
}

TEST(Scheduler, IsEmptyWhenEverythingWasCancelledOrRun) {
    Simulation sim;
    EXPECT_TRUE(sim.s.empty());
    const Event event = sim.s.enterabs(1, 1, [] {});
    EXPECT_FALSE(sim.s.empty());
    sim.s.cancel(event);
    EXPECT_TRUE(sim.s.empty());
}

TEST(Scheduler, QueueIsACopyInTheOrderOfRunning) {
    Simulation sim;
    sim.s.enterabs(3, 1, sim.note(4));
    sim.s.enterabs(1, 2, sim.note(2));
    sim.s.enterabs(1, 1, sim.note(1));
    sim.s.enterabs(1, 2, sim.note(3));
    const Event gone = sim.s.enterabs(0, 0, sim.note(0));
    sim.s.cancel(gone);
    std::vector<Event> queue = sim.s.queue();
    ASSERT_EQ(queue.size(), 4u);
    for (const Event& event : queue) event.action();
    EXPECT_EQ(sim.done, (Numbers{1, 2, 3, 4}));
    queue.clear();
    EXPECT_EQ(sim.s.queue().size(), 4u);
}

TEST(Scheduler, DestroysActionsWhenTheyHaveRunOrWereCancelled) {
    Simulation sim;
    const auto witness = std::make_shared<int>(0);
    sim.s.enterabs(1, 1, [witness] {});
    sim.s.cancel(sim.s.enterabs(2, 1, [witness] {}));
    EXPECT_EQ(witness.use_count(), 2);  // cancelled, and no handle is left
    sim.s.run();
    EXPECT_EQ(witness.use_count(), 1);
}

TEST(Scheduler, DestroysActionsThatAreLeft) {
    const auto witness = std::make_shared<int>(0);
    std::optional<Event> kept;
    {
        scheduler s;
        for (int i = 0; i < 500; ++i) s.enter(i, 1, [witness] {});
        kept = s.enter(1, 1, [witness](int) {}, 5);
        s.cancel(s.enter(3, 1, [witness] {}));
    }
    EXPECT_EQ(witness.use_count(), 2);
    EXPECT_EQ(kept->argument.get<int>(0), 5);
    kept.reset();
    EXPECT_EQ(witness.use_count(), 1);
}

TEST(Scheduler, MayBeUsedByADestructorThatItsOwnDestructorRuns) {
    struct EntersAnother {
        scheduler* s;
        std::shared_ptr<int> witness;
        void operator()() const {}
        ~EntersAnother() {
            if (witness != nullptr) s->enter(1, 1, [w = witness] {});
        }
        EntersAnother(scheduler* to, std::shared_ptr<int> w) : s(to), witness(std::move(w)) {}
        EntersAnother(EntersAnother&&) = default;
    };
    const auto witness = std::make_shared<int>(0);
    {
        scheduler s;
        s.enter(1, 1, EntersAnother(&s, witness));
    }
    EXPECT_EQ(witness.use_count(), 1);
}

TEST(Scheduler, ThrowsWhatACopyThrowsAndSchedulesNothing) {
    struct ThrowsWhenCopied {
        ThrowsWhenCopied() = default;
        ThrowsWhenCopied(const ThrowsWhenCopied&) { throw std::domain_error("copy"); }
    };
    Simulation sim;
    const ThrowsWhenCopied argument;
    EXPECT_THROW(sim.s.enter(1, 1, [](const ThrowsWhenCopied&) {}, argument), std::domain_error);
    EXPECT_TRUE(sim.s.empty());
}

TEST(Scheduler, HoldsActionsOfAnySizeAndAlignment) {
    struct alignas(64) Wide {
        double values[40] = {1.0, 2.0};
    };
    Simulation sim;
    double sum = 0.0;
    bool is_aligned = false;
    sim.s.enter(
        1, 1,
        [&](const Wide& wide) {
            sum = wide.values[0] + wide.values[1];
            is_aligned = reinterpret_cast<std::uintptr_t>(&wide) % 64 == 0;
        },
        Wide{});
    sim.s.run();
    EXPECT_EQ(sum, 3.0);
    EXPECT_TRUE(is_aligned);
}

TEST(Scheduler, StaysWhereItWasBuilt) {
    EXPECT_FALSE(std::is_copy_constructible_v<scheduler>);
    EXPECT_FALSE(std::is_move_constructible_v<scheduler>);
}

// Event
// --------------------------------------------------------------------------------------------

TEST(SchedEvent, IsARecordOfWhatWasEntered) {
    scheduler s;
    const Event first = s.enterabs(4.5, -2, [] {});
    const auto function = [](int, std::string) {};
    const Event second = s.enterabs(4.5, 3, function, 7, std::string("seven"));
    EXPECT_EQ(second.time, 4.5);
    EXPECT_EQ(second.priority, 3);
    EXPECT_EQ(first.sequence, 0u);
    EXPECT_EQ(second.sequence, 1u);
    EXPECT_NE(second.action.target<std::decay_t<decltype(function)>>(), nullptr);
    EXPECT_EQ(second.action.target<int>(), nullptr);
    EXPECT_EQ(second.argument.size(), 2u);
    EXPECT_EQ(second.argument.get<int>(0), 7);
    EXPECT_EQ(second.argument.get<std::string>(1), "seven");
    EXPECT_EQ(first.argument.size(), 0u);
    EXPECT_EQ(second.repr(), "Event(time=4.5, priority=3, sequence=1)");
}

TEST(SchedEvent, RefusesArgumentsThatItDoesNotHave) {
    scheduler s;
    const Event event = s.enter(1, 1, [](int) {}, 7);
    EXPECT_THROW((void)event.argument.get<int>(1), std::out_of_range);
    EXPECT_THROW((void)event.argument.get<long>(0), weft::TypeError);
}

TEST(SchedEvent, CannotBeChanged) {
    EXPECT_FALSE((std::is_assignable_v<decltype((std::declval<Event&>().time)), double>));
    EXPECT_FALSE((std::is_assignable_v<decltype((std::declval<Event&>().priority)), int>));
    EXPECT_FALSE((std::is_assignable_v<decltype((std::declval<Event&>().sequence)), unsigned>));
}

TEST(SchedEvent, ActionCallsWhatWasEntered) {
    Simulation sim;
    const Event event = sim.s.enter(1, 1, [&](int n) { sim.done.push_back(n); }, 6);
    event.action();
    sim.s.run();
    EXPECT_EQ(sim.done, (Numbers{6, 6}));
}

TEST(SchedEvent, KeepsActionAndArgumentsAfterItHasRun) {
    Simulation sim;
    const Event event = sim.s.enter(1, 1, [&](int n) { sim.done.push_back(n); }, 6);
    sim.s.run();
    const auto action = event.action;
    action();
    EXPECT_EQ(sim.done, (Numbers{6, 6}));
    EXPECT_EQ(event.argument.get<int>(0), 6);
}

TEST(SchedEvent, ComparesByTimePriorityAndSequence) {
    scheduler s;
    const Event base = s.enterabs(2, 2, [] {});
    const Event later = s.enterabs(3, 1, [] {});
    const Event lower = s.enterabs(2, 3, [] {});
    const Event after = s.enterabs(2, 2, [] {});
    EXPECT_LT(base, later);
    EXPECT_LT(base, lower);
    EXPECT_LT(base, after);
    EXPECT_LT(after, lower);
    EXPECT_LE(base, base);
    EXPECT_GT(later, base);
    EXPECT_NE(base, after);
    const Event same = base;
    EXPECT_EQ(base, same);
    EXPECT_EQ(std::hash<Event>()(base), std::hash<Event>()(same));
}

TEST(SchedEvent, MovedFromMeansNothingUntilItIsAssignedTo) {
    scheduler s;
    Event event = s.enterabs(1, 1, [] {});
    Event taken = std::move(event);
    EXPECT_THROW(s.cancel(event), std::invalid_argument);
    event = s.enterabs(2, 1, [] {});
    taken = std::move(event);
    event = taken;
    s.cancel(event);
    EXPECT_THROW(s.cancel(taken), std::invalid_argument);
    EXPECT_EQ(s.queue().size(), 1u);
}

TEST(SchedEvent, IsNeitherEqualNorOrderedToATwinOfAnotherScheduler) {
    scheduler a;
    scheduler b;
    const Event one = a.enterabs(1, 1, [] {});
    const Event other = b.enterabs(1, 1, [] {});
    EXPECT_NE(one, other);
    EXPECT_FALSE(one < other);
    EXPECT_FALSE(other < one);
}

TEST(SchedEvent, AssignedMeansTheOtherEvent) {
    scheduler s;
    Event event = s.enterabs(1, 1, [] {});
    const Event second = s.enterabs(2, 5, [] {});
    event = second;
    EXPECT_EQ(event, second);
    EXPECT_EQ(event.time, 2.0);
    EXPECT_EQ(event.priority, 5);
    event = *&event;
    s.cancel(event);
    EXPECT_EQ(s.queue().size(), 1u);
}

}  // namespace
