// What a child of fork() finds of a scheduler.

#include <weft/sched.hpp>

#include <gtest/gtest.h>

#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <stdexcept>
#include <stop_token>
#include <thread>
#include <vector>

#include <weft/errors.hpp>

namespace {

using weft::sched::Event;
using weft::sched::scheduler;

constexpr int kGood = 42;

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
        for (int round = 0; round < 20; ++round) {
            EXPECT_EQ(run_in_child([&] {
                          bool has_run = false;
                          try {
                              s.cancel(later);
                              s.enter(0, 1, [&] { has_run = true; });
                              s.run();
                          } catch (const std::runtime_error&) {
                              return kGood;  // the runner was inside
                          }
                          return has_run ? kGood : 1;
                      }),
                      kGood);
        }
        stop.request_stop();
    }
    EXPECT_EQ(s.queue().size(), 1u);
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
            ASSERT_EQ(run_in_child([&] {
                          try {
                              const std::vector<Event> queue = s.queue();
                              for (const Event& each : queue) s.cancel(each);
                              return s.empty() ? kGood : 1;
                          } catch (const std::runtime_error&) {
                              try {
                                  (void)s.empty();
                              } catch (const std::runtime_error&) {
                                  return kGood;
                              }
                              return 2;
                          }
                      }),
                      kGood);
        }
        is_over = true;
    }
}

}  // namespace
