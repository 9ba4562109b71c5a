// Every allocation of a scheduler's members fails once.

#include <weft/sched.hpp>

#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <vector>

#include "support/faults.hpp"

namespace {

using weft::sched::Event;
using weft::sched::scheduler;
namespace faults = weft::test::faults;

TEST(SchedulerWithoutMemory, EnterSchedulesOrLeavesNothingBehind) {
    const auto witness = std::make_shared<int>(0);
    scheduler s;
    std::size_t entered = 0;
    EXPECT_GE(faults::for_every_allocation(
                  [&] {
                      // Arguments too large for a page of small ones.
                      s.enter(1, 1, [witness](const std::vector<int>&) {}, std::vector<int>(50));
                      ++entered;
                  },
                  {.invariant =
                       [&] {
                           EXPECT_EQ(s.queue().size(), entered);
                           EXPECT_EQ(witness.use_count(), 1 + static_cast<long>(entered));
                       }}),
              2u);
}

TEST(SchedulerWithoutMemory, RunningNeedsNone) {
    for (const auto persistence : {faults::Persistence::once, faults::Persistence::from_then_on}) {
        faults::for_every_allocation(
            [&] {
                double time = 0.0;
                double last = -1.0;
                int ran = 0;
                std::unique_ptr<scheduler> s;
                {
                    const faults::Pause preparing;
                    s = std::make_unique<scheduler>([&] { return time; },
                                                    [&](double left) { time += left; });
                    std::mt19937 random(3);
                    for (int i = 0; i < 2000; ++i) {
                        const double when = static_cast<double>(random() % 100'000);
                        s->enterabs(when, 1, [&, when] {
                            EXPECT_GE(when, last);
                            last = when;
                            ++ran;
                        });
                    }
                }
                s->run();
                EXPECT_EQ(ran, 2000);
                const faults::Pause cleaning;
                s.reset();
            },
            {.persistence = persistence});
    }
}

TEST(SchedulerWithoutMemory, CancellingNeedsNone) {
    faults::for_every_allocation(
        [&] {
            std::vector<Event> events;
            std::unique_ptr<scheduler> s;
            {
                const faults::Pause preparing;
                s = std::make_unique<scheduler>();
                for (int i = 0; i < 3000; ++i) events.push_back(s->enter(i, 1, [] {}));
            }
            for (const Event& each : events) s->cancel(each);
            EXPECT_TRUE(s->empty());
            const faults::Pause cleaning;
            events.clear();
            s.reset();
        },
        {.persistence = faults::Persistence::from_then_on});
}

TEST(SchedulerWithoutMemory, QueueThrowsAndKeepsNoEventAlive) {
    const auto witness = std::make_shared<int>(0);
    {
        scheduler s;
        for (int i = 0; i < 10; ++i) s.enter(i, 1, [witness] {});
        EXPECT_GE(faults::for_every_allocation([&] { EXPECT_EQ(s.queue().size(), 10u); }), 2u);
    }
    EXPECT_EQ(witness.use_count(), 1);
}

}  // namespace
