#include <weft/detail/task_count.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <thread>
#include <vector>

namespace {

using weft::detail::Atomic;
using weft::detail::Deadline;
using weft::detail::TaskCount;
using weft::detail::WaitEnd;

TEST(TaskCount, IsWhatWasPutLessWhatIsDone) {
    Atomic<std::uint64_t> put{0};
    TaskCount tasks(put);
    EXPECT_EQ(tasks.unfinished(), 0u);
    EXPECT_FALSE(tasks.finish_one());
    put = 3;
    EXPECT_EQ(tasks.unfinished(), 3u);
    EXPECT_TRUE(tasks.finish_one());
    EXPECT_EQ(tasks.unfinished(), 2u);
    EXPECT_EQ(tasks.finish(5), 2u);
    EXPECT_EQ(tasks.finish(1), 0u);
    EXPECT_FALSE(tasks.finish_one());
}

TEST(TaskCount, JoinEndsWithItsLimitOrWithTheLastTask) {
    Atomic<std::uint64_t> put{1};
    TaskCount tasks(put);
    EXPECT_EQ(tasks.join({.deadline = Deadline::after(0.001)}), WaitEnd::timed_out);
    std::vector<std::jthread> joiners;
    for (int i = 0; i < 3; ++i) {
        joiners.emplace_back([&] { EXPECT_EQ(tasks.join({}), WaitEnd::notified); });
    }
    EXPECT_TRUE(tasks.finish_one());
}

TEST(TaskCount, CountsEveryTaskOnceWhoeverFinishesIt) {
    constexpr std::uint64_t kEach = 50'000;
    Atomic<std::uint64_t> put{4 * kEach};
    TaskCount tasks(put);
    std::atomic<std::uint64_t> finished{0};
    {
        std::vector<std::jthread> workers;
        for (int i = 0; i < 4; ++i) {
            workers.emplace_back([&] {
                std::uint64_t mine = 0;
                while (tasks.finish_one()) ++mine;
                finished += mine;
            });
        }
        EXPECT_EQ(tasks.join({}), WaitEnd::notified);
    }
    EXPECT_EQ(finished, 4 * kEach);
}

}  // namespace
