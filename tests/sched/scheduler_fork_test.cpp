// What a child of fork() finds of a scheduler.

#include <weft/sched.hpp>

#include <gtest/gtest.h>

#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <optional>
#include <stdexcept>
#include <stop_token>
#include <thread>
#include <utility>
#include <vector>

#include <weft/errors.hpp>

namespace {

using weft::sched::Event;
using weft::sched::scheduler;

constexpr int kGood = 42;
/// The child found it half changed, and was told so.
constexpr int kRefused = 43;

/// The exit code of a child that runs `work`.
int run_in_child(const std::function<int()>& work) {
    const pid_t pid = fork();
    if (pid == 0) _exit(work());
    int status = 0;
    if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status)) return -1;
    return WEXITSTATUS(status);
}

TEST(SchedulerFork, TheChildHasTheEvents) {
    scheduler s;
    int ran = 0;
    for (int i = 0; i < 100; ++i) s.enter(0, 1, [&] { ++ran; });
    EXPECT_EQ(run_in_child([&] {
                  s.run();
                  return ran == 100 ? kGood : 1;
              }),
              kGood);
    EXPECT_EQ(s.queue().size(), 100u);
}

TEST(SchedulerFork, NobodyRunsItInTheChild) {
    scheduler s;
    std::stop_source stop;
    const Event later = s.enter(3600, 1, [] {});
    {
        const std::jthread runner([&] { EXPECT_THROW(s.run(stop.get_token()), weft::Cancelled); });
        int whole = 0;
        for (int round = 0; round < 20; ++round) {
            const int end = run_in_child([&] {
                bool has_run = false;
                try {
                    s.cancel(later);
                    s.enter(0, 1, [&] { has_run = true; });
                    s.run();
                } catch (const std::runtime_error&) {
                    return kRefused;  // the runner was inside
                }
                return has_run ? kGood : 1;
            });
            EXPECT_TRUE(end == kGood || end == kRefused) << end;
            if (end == kGood) ++whole;
        }
        EXPECT_GT(whole, 0);  // the runner sleeps nearly always
        stop.request_stop();
    }
    EXPECT_EQ(s.queue().size(), 1u);
}

TEST(SchedulerFork, TheChildMayDestroyWhatAThreadOfTheParentRuns) {
    std::optional<scheduler> s(std::in_place);
    std::stop_source stop;
    std::atomic<bool> is_running{false};
    s->enter(0, 1, [&] {
        is_running = true;
        is_running.notify_one();
    });
    s->enter(3600, 1, [] {});
    {
        const std::jthread runner([&] { EXPECT_THROW(s->run(stop.get_token()), weft::Cancelled); });
        is_running.wait(false);
        EXPECT_EQ(run_in_child([&] {
                      s.reset();
                      return kGood;
                  }),
                  kGood);
        stop.request_stop();
    }
}

TEST(SchedulerFork, IsWholeOrSaysThatItIsNot) {
    scheduler s;
    std::atomic<bool> is_over{false};
    {
        const std::jthread other([&] {
            while (!is_over) {
                const Event event = s.enter(1, 1, [] {});
                s.enter(2, 1, [] {});
                s.cancel(event);
                if (s.queue().size() > 1000) {
                    for (const Event& each : s.queue()) s.cancel(each);
                }
            }
        });
        for (int round = 0; round < 60; ++round) {
            const int end = run_in_child([&] {
                try {
                    const std::vector<Event> queue = s.queue();
                    for (const Event& each : queue) s.cancel(each);
                    return s.empty() ? kGood : 1;
                } catch (const std::runtime_error&) {
                    try {
                        (void)s.empty();
                    } catch (const std::runtime_error&) {
                        return kRefused;
                    }
                    return 2;
                }
            });
            ASSERT_TRUE(end == kGood || end == kRefused) << end;
        }
        is_over = true;
    }
    // Nobody is inside now.
    EXPECT_EQ(run_in_child([&] {
                  for (const Event& each : s.queue()) s.cancel(each);
                  return s.empty() ? kGood : 1;
              }),
              kGood);
}

}  // namespace
