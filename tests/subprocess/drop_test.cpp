// The end of a Popen whose pipes somebody uses, and the end of groups on older kernels.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <optional>
#include <semaphore>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>

#include <weft/subprocess.hpp>
#include <weft/unraisable.hpp>

#include "os/process.hpp"
#include "subprocess/support.hpp"

namespace {

using namespace std::chrono_literals;
using namespace weft::subprocess;

bool is_alive(int process) {
    return kill(process, 0) == 0;
}

/// Ends a child that was left, and has it reaped.
void clean_up(int process) {
    kill(process, SIGKILL);
    siginfo_t info{};
    while (waitid(P_PID, static_cast<id_t>(process), &info, WEXITED | WNOWAIT) != 0 &&
           errno == EINTR) {
    }
    run({"true"});
}

class IgnoreWarnings {
public:
    IgnoreWarnings()
        : before_(weft::set_warning_handler([](weft::WarningCategory, std::string_view) {})) {}
    ~IgnoreWarnings() { weft::set_warning_handler(before_); }
    IgnoreWarnings(const IgnoreWarnings&) = delete;
    IgnoreWarnings& operator=(const IgnoreWarnings&) = delete;

private:
    weft::WarningHandler before_;
};

/// Reads on in another thread, until the end is closed under it.
class Reading {
public:
    explicit Reading(const Popen& child)
        : thread_([this, output = child.stdout_()] {
              EXPECT_EQ(output.readline(), "up\n");
              begun_.release();
              try {
                  (void)output.read();
                  result_ = "ended";
              } catch (const std::invalid_argument&) {
                  result_ = "closed";
              }
          }) {
        begun_.acquire();
    }
    [[nodiscard]] std::string result() {
        thread_.join();
        return result_;
    }

private:
    std::binary_semaphore begun_{0};
    std::string result_;
    std::jthread thread_;
};

constexpr const char* kSleeper = "echo up; exec sleep 600";

TEST(PopenDrop, KillDoesNotWaitForAThreadThatReads) {
    // The grandchild holds the pipe, so that killing the child alone ends no read.
    std::optional<Reading> reading;
    int grandchild = 0;
    {
        Popen child({"sh", "-c", "sleep 600 & echo up; echo $! >&2; wait"},
                    {.stdout_ = PIPE, .stderr_ = PIPE, .on_drop = OnDrop::kill});
        grandchild = std::stoi(child.stderr_().readline());
        reading.emplace(child);
    }
    EXPECT_EQ(reading->result(), "closed");
    EXPECT_EQ(kill(grandchild, SIGKILL), 0);
}

TEST(PopenDrop, WhileAnExceptionUnwindsNobodyWaitsForAThreadThatReads) {
    const IgnoreWarnings quiet;
    std::optional<Reading> reading;
    int process = 0;
    try {
        Popen child({"sh", "-c", kSleeper}, {.stdout_ = PIPE});
        process = child.pid();
        reading.emplace(child);
        throw std::runtime_error("unwinding");
    } catch (const std::runtime_error&) {
    }
    EXPECT_EQ(reading->result(), "closed");
    EXPECT_TRUE(is_alive(process));
    clean_up(process);
}

TEST(PopenDrop, WhileAnExceptionUnwindsNobodyWaitsForAThreadThatWrites) {
    const IgnoreWarnings quiet;
    std::binary_semaphore begun(0);
    std::jthread writer;
    bool is_closed = false;
    int process = 0;
    try {
        Popen child({"sleep", "600"}, {.stdin_ = PIPE, .bufsize = 0});
        process = child.pid();
        child.stdin_().write(std::string(65536, 'x'));  // all that the pipe holds
        writer = std::jthread([&, input = child.stdin_()] {
            begun.release();
            EXPECT_THROW(input.write("y"), std::invalid_argument);
            is_closed = true;
        });
        begun.acquire();
        throw std::runtime_error("unwinding");
    } catch (const std::runtime_error&) {
    }
    writer.join();
    EXPECT_TRUE(is_closed);
    clean_up(process);
}

TEST(PopenDrop, WaitLetsAThreadReadToTheEnd) {
    std::optional<Reading> reading;
    {
        Popen child({"sh", "-c", "echo up; read x; echo $x"}, {.stdin_ = PIPE, .stdout_ = PIPE});
        reading.emplace(child);
        child.stdin_().write("rest\n");
        child.stdin_().flush();
    }
    EXPECT_EQ(reading->result(), "ended");
}

TEST(PopenDrop, ReapWritesWhatFitsAndDoesNotWaitForMore) {
    int process = 0;
    {
        Popen child({"sleep", "600"}, {.stdin_ = PIPE, .on_drop = OnDrop::reap});
        process = child.pid();
        child.stdin_().write(std::string(65536, 'x'));
        child.stdin_().write("kept");
    }
    EXPECT_TRUE(is_alive(process));
    clean_up(process);
    int copy = -1;
    {
        Popen child({"cat"}, {.stdin_ = PIPE, .stdout_ = PIPE, .on_drop = OnDrop::reap});
        process = child.pid();
        child.stdin_().write("kept");
        copy = dup(child.stdout_().fileno());
    }
    char text[5] = {};
    EXPECT_EQ(read(copy, text, 4), 4);
    EXPECT_STREQ(text, "kept");
    close(copy);
    clean_up(process);
}

TEST(PopenDrop, ACancelledThreadIsNotUnwoundThere) {
    std::binary_semaphore begun(0);
    std::binary_semaphore go_on(0);
    struct Both {
        std::binary_semaphore* begun;
        std::binary_semaphore* go_on;
    } both{&begun, &go_on};
    pthread_t thread{};
    ASSERT_EQ(pthread_create(
                  &thread, nullptr,
                  [](void* subject) -> void* {
                      const Both& ways = *static_cast<Both*>(subject);
                      int before = 0;
                      pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before);
                      {
                          Popen child({"cat"}, {.stdin_ = PIPE, .stdout_ = PIPE});
                          ways.begun->release();
                          ways.go_on->acquire();
                          pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, nullptr);
                      }
                      pthread_testcancel();
                      return nullptr;
                  },
                  &both),
              0);
    begun.acquire();
    EXPECT_EQ(pthread_cancel(thread), 0);
    go_on.release();
    void* result = nullptr;
    ASSERT_EQ(pthread_join(thread, &result), 0);
    EXPECT_EQ(result, PTHREAD_CANCELED);
}

// Kernels before 6.9, which find no group by a pidfd
// -----------------------------------------------------------------------------------------

class OlderKernel : public testing::Test {
protected:
    void SetUp() override { weft::os::missing_features.fetch_or(weft::os::kNoGroupSignal); }
    void TearDown() override { weft::os::missing_features.store(0); }
};

using KillGroupOfOlderKernel = OlderKernel;

constexpr const char* kStubbornFamily = "(trap '' TERM; echo up; exec sleep 600) & wait";

TEST_F(KillGroupOfOlderKernel, StopKillsWhatIsLeftOfTheGroup) {
    Popen child({"sh", "-c", kStubbornFamily}, {.stdout_ = PIPE, .process_group = 0});
    EXPECT_EQ(child.stdout_().readline(), "up\n");
    EXPECT_EQ(child.stop({.grace = 1h}), -SIGTERM);
    // The pipe ends when the last of the group is gone.
    EXPECT_EQ(child.stdout_().read(), "");
}

TEST_F(KillGroupOfOlderKernel, StopDoesSoWhenAnotherThreadFindsTheEnd) {
    for (int round = 0; round < 20; ++round) {
        Popen child({"sh", "-c", kStubbornFamily}, {.stdout_ = PIPE, .process_group = 0});
        EXPECT_EQ(child.stdout_().readline(), "up\n");
        const std::jthread other([&] { EXPECT_EQ(child.wait(), -SIGTERM); });
        EXPECT_EQ(child.stop({.grace = 1h}), -SIGTERM);
        EXPECT_EQ(child.stdout_().read(), "");
    }
}

TEST_F(KillGroupOfOlderKernel, IsKilledWhileTheChildRuns) {
    Popen child({"sh", "-c", kStubbornFamily}, {.stdout_ = PIPE, .process_group = 0});
    EXPECT_EQ(child.stdout_().readline(), "up\n");
    EXPECT_TRUE(child.kill_group());
    EXPECT_EQ(child.wait(), -SIGKILL);
    EXPECT_EQ(child.stdout_().read(), "");
}

TEST_F(KillGroupOfOlderKernel, IsLeftAloneOnceTheNumberMayBeAnothers) {
    // The kernel reaps the child, and nobody here has looked at it since.
    const auto before = signal(SIGCHLD, SIG_IGN);
    Popen child({"sh", "-c", "sleep 600 & echo $!"}, {.stdout_ = PIPE, .process_group = 0});
    const int grandchild = std::stoi(child.stdout_().readline());
    while (is_alive(child.pid())) std::this_thread::yield();
    EXPECT_FALSE(child.kill_group());
    EXPECT_TRUE(is_alive(grandchild));
    kill(grandchild, SIGKILL);
    (void)child.wait();
    signal(SIGCHLD, before);
}

}  // namespace
