// Many threads that start children, or use the same one.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <weft/subprocess.hpp>

#include "subprocess/support.hpp"

namespace {

using namespace weft::subprocess;

TEST(SubprocessThreads, StartFromManyAtOnce) {
    std::atomic<bool> is_over{false};
    std::jthread opener([&] {
        while (!is_over.load()) close(open("/dev/null", O_RDONLY));
    });
    std::atomic<int> good{0};
    {
        std::vector<std::jthread> starters;
        for (int i = 0; i < 16; ++i) {
            starters.emplace_back([&] {
                for (int j = 0; j < 4; ++j) {
                    const auto done =
                        run({"sh", "-c", "cat; ls /proc/$$/fd"}, {.stdout_ = PIPE, .input = "x\n"});
                    if (done.stdout_ == "x\n0\n1\n2\n") ++good;
                }
            });
        }
    }
    is_over = true;
    EXPECT_EQ(good.load(), 64);
}

TEST(SubprocessThreads, GetTheSameStatus) {
    Popen child({"sh", "-c", "read line; exit 42"}, {.stdin_ = PIPE});
    std::vector<int> codes(8);
    {
        std::vector<std::jthread> waiters;
        for (int& code : codes) waiters.emplace_back([&child, &code] { code = child.wait(); });
        child.stdin_().close();
    }
    EXPECT_THAT(codes, testing::Each(42));
}

TEST(SubprocessThreads, KillWhileOthersWaitAndPoll) {
    for (int round = 0; round < 20; ++round) {
        Popen child({"cat"}, {.stdin_ = PIPE});
        std::vector<int> codes(4);
        {
            std::vector<std::jthread> threads;
            for (std::size_t i = 0; i < codes.size(); ++i) {
                threads.emplace_back([&child, &code = codes[i], waits = i % 2 == 0] {
                    if (waits) {
                        code = child.wait();
                        return;
                    }
                    while (!child.poll()) std::this_thread::yield();
                    code = *child.returncode();
                });
            }
            threads.emplace_back([&child] { child.kill(); });
            threads.emplace_back([&child] { child.terminate(); });
        }
        EXPECT_THAT(codes, testing::Each(codes[0]));
        EXPECT_THAT(codes[0], testing::AnyOf(-SIGKILL, -SIGTERM));
    }
}

TEST(SubprocessThreads, ShareAPipe) {
    Popen child({"cat"}, {.stdin_ = PIPE, .stdout_ = PIPE});
    constexpr std::size_t kLines = 200;
    std::atomic<std::size_t> read{0};
    {
        std::vector<std::jthread> readers;
        for (int i = 0; i < 3; ++i) {
            readers.emplace_back([&] {
                while (!child.stdout_().readline().empty()) ++read;
            });
        }
        std::vector<std::jthread> writers;
        for (int i = 0; i < 2; ++i) {
            writers.emplace_back([&] {
                for (std::size_t n = 0; n < kLines; ++n) child.stdin_().write("a whole line\n");
            });
        }
        writers.clear();
        child.stdin_().close();
    }
    EXPECT_EQ(read.load(), 2 * kLines);
}

TEST(SubprocessThreads, DropChildrenForTheReaperAtOnce) {
    std::vector<int> processes(8);
    {
        std::vector<std::jthread> droppers;
        for (int& process : processes) {
            droppers.emplace_back([&process] {
                const Popen child({"sleep", "600"}, {.on_drop = OnDrop::reap});
                process = child.pid();
            });
        }
    }
    for (const int process : processes) EXPECT_EQ(kill(process, SIGKILL), 0);
    // Starts reap those that have ended meanwhile.
    for (const int process : processes) {
        while (kill(process, 0) == 0) run({"true"});
    }
}

}  // namespace
