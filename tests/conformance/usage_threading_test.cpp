// How users of threading, _thread and dummy_threading write, line by line.

#include <weft/weft.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <cstddef>
#include <functional>
#include <mutex>
#include <stdexcept>
#include <stop_token>
#include <string>

namespace {

using namespace std::chrono_literals;
using namespace weft;

void download(const std::string& url, int times) {
    EXPECT_EQ(url, "https://example.org");
    EXPECT_EQ(times, 3);
}

void watch(bool& flag) {
    flag = true;
}

TEST(UsageOfThreading, ThreadsAndTheirMembers) {
    const std::string url = "https://example.org";
    bool flag = false;
    threading::Thread t(download, url, 3);
    threading::Thread d({.name = "watcher", .daemon = true}, watch, std::ref(flag));
    EXPECT_FALSE(t.ident().has_value());
    EXPECT_FALSE(t.name().empty());
    t.start();
    t.join();
    t.join(1.5);
    t.join(200ms);
    d.start();
    d.join();
    EXPECT_TRUE(flag);
    EXPECT_EQ(d.name(), "watcher");
    d.set_name("n");
    EXPECT_EQ(d.name(), "n");
    EXPECT_TRUE(t.ident().has_value());
    EXPECT_TRUE(t.native_id().has_value());
    EXPECT_TRUE(d.daemon());
    EXPECT_FALSE(t.is_alive());
    threading::Thread same = t;
    EXPECT_EQ(same, t);
}

TEST(UsageOfThreading, ScopesAndStops) {
    int calls = 0;
    {
        threading::Joining j{threading::Thread([&](int n) { calls += n; }, 1)};
    }
    EXPECT_EQ(calls, 1);
    int steps = 0;
    threading::Event begun;
    threading::Thread s(
        [&](std::stop_token stop, int n) {
            while (!stop.stop_requested()) {
                steps += n;
                begun.set();
            }
        },
        5);
    s.start();
    begun.wait();
    s.request_stop();
    s.join();
    EXPECT_GE(steps, 5);
}

TEST(UsageOfThreading, TheModulesFunctions) {
    EXPECT_EQ(threading::current_thread().name(), threading::main_thread().name());
    std::size_t count = 0;
    for (auto& each : threading::enumerate()) count += each.name().empty() ? 0u : 1u;
    EXPECT_EQ(count, threading::active_count());
    threading::stack_size(256 * 1024);
    EXPECT_EQ(threading::stack_size(), 256u * 1024u);
    threading::stack_size(0);
}

TEST(UsageOfThreading, TheHookForExceptions) {
    std::string logged;
    auto old = threading::excepthook;
    threading::excepthook = [&](const threading::ExceptHookArgs& a) {
        logged = (a.thread ? a.thread->name() : "?") + ": " + a.what();
    };
    threading::Thread t({.name = "failing"}, [] { throw std::runtime_error("no"); });
    t.start();
    t.join();
    threading::excepthook = old;
    EXPECT_EQ(logged, "failing: std::runtime_error: no");
}

struct Counter : threading::Runnable {
    int n = 0;
    void run() override { ++n; }
};

TEST(UsageOfThreading, SubclassesOfThread) {
    auto c = threading::Thread::of<Counter>();
    c.start();
    c.join();
    EXPECT_EQ(c->n, 1);
}

TEST(UsageOfThreading, Locks) {
    threading::Lock lock;
    lock.acquire();
    EXPECT_FALSE(lock.acquire(false));
    EXPECT_FALSE(lock.acquire(true, 0.001));
    lock.release();
    EXPECT_FALSE(lock.locked());
    {
        std::scoped_lock held(lock);
    }
    {
        threading::Guard held(lock);
    }
    std::stop_source stop;
    lock.acquire(stop.get_token());
    stop.request_stop();
    EXPECT_THROW(lock.acquire(stop.get_token()), Cancelled);
    lock.release();
    threading::RLock rlock;
    {
        std::scoped_lock held(rlock);
    }
}

TEST(UsageOfThreading, Conditions) {
    threading::Lock lock;
    bool ready = true;
    threading::Condition cv;
    threading::Condition on(lock);
    {
        std::scoped_lock held(cv);
        EXPECT_FALSE(cv.wait(1ms));
        EXPECT_TRUE(cv.wait_for([&] { return ready; }, 1s));
        cv.notify();
        cv.notify(3);
        cv.notify_all();
    }
    {
        threading::Guard held(on);
        EXPECT_TRUE(lock.locked());
    }
}

TEST(UsageOfThreading, SemaphoresEventsTimersAndBarriers) {
    threading::Semaphore sem(4);
    threading::BoundedSemaphore b(2);
    EXPECT_TRUE(sem.acquire(true, 1s));
    sem.release(2);
    {
        std::scoped_lock held(sem, b);
    }
    {
        threading::Guard held(b);
    }
    threading::Event e;
    e.set();
    EXPECT_TRUE(e.is_set());
    e.clear();
    bool was = e.wait(1ms);
    EXPECT_FALSE(was);

    int refreshed = 0;
    const auto refresh = [&](int arg) { refreshed += arg; };
    const int arg = 1;
    threading::Timer timer(30s, refresh, arg);
    timer.start();
    timer.cancel();
    timer.join();
    EXPECT_EQ(refreshed, 0);

    int actions = 0;
    threading::Barrier barrier(1, [&] { ++actions; }, 5s);
    int my = barrier.wait();
    EXPECT_EQ(my, 0);
    EXPECT_EQ(actions, 1);
    barrier.reset();
    barrier.abort();
    threading::Barrier without_action(2, {}, 30ms);
}

struct Session {
    std::string host;
    void open(const std::string& name) { host = name; }
};

TEST(UsageOfThreading, EachThreadSeesItsOwn) {
    threading::local<Session> session;
    session->open("here");
    {
        threading::Joining other{threading::Thread([&] { EXPECT_TRUE(session->host.empty()); })};
    }
    EXPECT_EQ(session->host, "here");
}

TEST(UsageOfThreading, TheModuleUnderneathAndTheDummies) {
    threading::Event called;
    const auto f = [&](int n) {
        EXPECT_EQ(n, 7);
        called.set();
    };
    auto id = _thread::start_new_thread(f, 7);
    EXPECT_NE(id, 0u);
    called.wait();
    _thread::interrupt_main();  // without a handler it does nothing
    auto l = _thread::allocate_lock();
    {
        std::scoped_lock held(l);
    }
    bool has_run = false;
    dummy_threading::Thread now([&](int n) { has_run = n == 7; }, 7);
    now.start();
    EXPECT_TRUE(has_run);
}

}  // namespace
