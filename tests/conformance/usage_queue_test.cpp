// How users of queue write, line by line.

#include <weft/weft.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <compare>
#include <stop_token>
#include <string>

namespace {

using namespace std::chrono_literals;
using namespace weft;

struct Job {
    int id = 0;
    std::string name = {};
    auto operator<=>(const Job&) const = default;
};

TEST(UsageOfQueue, PutsAndGets) {
    queue::Queue<Job> q(100);
    queue::LifoQueue<Job> stack;
    queue::PriorityQueue<Job> least_first;
    queue::SimpleQueue<Job> simple;
    const Job job{.id = 1, .name = "one"};
    q.put(job);
    q.put(job, true, 2s);
    q.put_nowait(job);
    Job j = q.get();
    EXPECT_EQ(j, job);
    EXPECT_EQ(q.get(true, 2s), job);
    EXPECT_EQ(q.get_nowait(), job);
    for (int i = 0; i < 3; ++i) q.task_done();
    q.join();
    EXPECT_EQ(q.qsize(), 0u);
    EXPECT_TRUE(q.empty());
    EXPECT_FALSE(q.full());
    stack.put(job);
    least_first.put(job);
    simple.put(job);
    EXPECT_EQ(stack.get(), job);
    EXPECT_EQ(least_first.get(), job);
    EXPECT_EQ(simple.get(), job);
}

TEST(UsageOfQueue, BoundsThatChange) {
    queue::Queue<Job> q(100);
    EXPECT_EQ(q.maxsize(), 100);
    q.set_maxsize(200);
    EXPECT_EQ(q.maxsize(), 200);
}

TEST(UsageOfQueue, Stops) {
    queue::Queue<Job> q;
    std::stop_source stop;
    stop.request_stop();
    EXPECT_THROW(q.get(stop.get_token()), Cancelled);
}

TEST(UsageOfQueue, RunsThroughUntilItIsShutDown) {
    queue::Queue<Job> q;
    q.put({.id = 1});
    q.put({.id = 2});
    q.shutdown();
    int sum = 0;
    for (Job each : q) {
        sum += each.id;
        q.task_done();
    }
    EXPECT_EQ(sum, 3);
    q.join();
    q.shutdown(/*immediate=*/true);
    EXPECT_THROW(q.put({}), queue::ShutDown);
}

}  // namespace
