// Threads enter, cancel and run events of one scheduler at once. What went in comes out once.

#include <weft/sched.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <cstddef>
#include <memory>
#include <random>
#include <stdexcept>
#include <stop_token>
#include <thread>
#include <vector>

#include <weft/errors.hpp>

namespace {

using weft::sched::Event;
using weft::sched::scheduler;

constexpr int kEach = 4000;

TEST(SchedulerStress, EachEventRunsOnceOrIsCancelledOnce) {
    scheduler s;
    std::atomic<int> ran{0};
    std::atomic<int> cancelled{0};
    std::stop_source stop;
    // Keeps run() from ending before the others have entered theirs.
    const Event last = s.enter(3600, 1, [] {});
    const auto runner = [&] {
        try {
            s.run(stop.get_token());
        } catch (const weft::Cancelled&) {
        }
    };
    {
        const std::jthread first_runner(runner);
        const std::jthread second_runner(runner);
        {
            std::vector<std::jthread> threads;
            for (int t = 0; t < 3; ++t) {
                threads.emplace_back([&, t] {
                    std::mt19937 random(static_cast<unsigned>(t));
                    std::vector<Event> mine;
                    for (int i = 0; i < kEach; ++i) {
                        const double delay = static_cast<double>(random() % 2000) * 1e-6;
                        mine.push_back(s.enter(
                            delay, static_cast<int>(random() % 3), [&ran](int n) { ran += n; }, 1));
                        if (random() % 2 == 0) {
                            const std::size_t which = random() % mine.size();
                            try {
                                s.cancel(mine[which]);
                                ++cancelled;
                            } catch (const std::invalid_argument&) {
                                // it was due, or was cancelled before
                            }
                        }
                    }
                });
            }
        }
        while (s.queue().size() > 1) std::this_thread::yield();
        s.cancel(last);
    }
    EXPECT_EQ(ran + cancelled, 3 * kEach);
    EXPECT_TRUE(s.empty());
}

TEST(SchedulerStress, SeveralThreadsCancelOneEventAndOneOfThemDoes) {
    scheduler s;
    std::atomic<int> done{0};
    for (int round = 0; round < 500; ++round) {
        const Event event = s.enter(3600, 1, [] {});
        const auto attempt = [&, event] {
            try {
                s.cancel(event);
                ++done;
            } catch (const std::invalid_argument&) {
            }
        };
        const std::jthread one(attempt);
        const std::jthread other(attempt);
    }
    EXPECT_EQ(done, 500);
    EXPECT_TRUE(s.empty());
}

TEST(SchedulerStress, HandlesAreCopiedAndDroppedByAnyThreadWhileEventsRun) {
    scheduler s;
    std::atomic<int> ran{0};
    for (int round = 0; round < 300; ++round) {
        const auto content = std::make_shared<int>(1);
        {
            Event event = s.enter(0, 1, [content, &ran] { ran += *content; });
            const std::jthread other([mine = event]() mutable {
                const Event again = mine;
                mine = again;
            });
            const std::jthread runner([&] { s.run(); });
        }
        EXPECT_EQ(content.use_count(), 1);
    }
    EXPECT_EQ(ran, 300);
}

}  // namespace
