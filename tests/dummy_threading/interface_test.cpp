// One program for weft::threading and for weft::dummy_threading: the names and results that both
// have. Nothing in it needs a second thread to go on.

#include <weft/dummy_threading.hpp>
#include <weft/threading.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <cstddef>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <unordered_set>
#include <vector>

namespace {

using namespace std::chrono_literals;
namespace threading = weft::WEFT_TEST_ROOM;

struct Counter : threading::Runnable {
    explicit Counter(int start = 0) : n(start) {}
    void run() override { ++n; }
    int n;
};

TEST(WEFT_TEST_SUITE, HasThreads) {
    int sum = 0;
    threading::Thread thread({.name = "adder", .daemon = true}, [&sum](int n) { sum += n; }, 3);
    EXPECT_FALSE(thread.is_alive());
    EXPECT_FALSE(thread.ident().has_value());
    EXPECT_FALSE(thread.native_id().has_value());
    EXPECT_EQ(thread.name(), "adder");
    EXPECT_TRUE(thread.daemon());
    thread.set_daemon(false);
    thread.set_name("renamed");
    thread.start();
    thread.join();
    thread.join(1s);
    thread.join(std::stop_token(), 1s);
    EXPECT_EQ(sum, 3);
    EXPECT_FALSE(thread.is_alive());
    EXPECT_TRUE(thread.ident().has_value());
    EXPECT_TRUE(thread.native_id().has_value());
    EXPECT_NE(thread.repr().find("Thread(renamed, stopped"), std::string::npos) << thread.repr();
    EXPECT_THROW(thread.start(), std::runtime_error);
    EXPECT_THROW(thread.set_daemon(true), std::runtime_error);
    EXPECT_TRUE(thread.request_stop());
    EXPECT_TRUE(thread.get_stop_token().stop_requested());
    EXPECT_TRUE(thread.get_stop_source().stop_requested());
    threading::Thread here([&sum] { ++sum; });
    here.run();
    EXPECT_EQ(sum, 4);
}

TEST(WEFT_TEST_SUITE, HasThreadsThatRunObjects) {
    auto counter = threading::Thread::of<Counter>();
    auto named = threading::Thread::of<Counter>({.name = "counter"}, 5);
    for (auto* each : {&counter, &named}) {
        each->start();
        each->join();
    }
    EXPECT_EQ(counter->n, 1);
    EXPECT_EQ((*named).n, 6);
    EXPECT_EQ(named.name(), "counter");
    EXPECT_NE(named.repr().find("Counter(counter, stopped"), std::string::npos) << named.repr();
}

TEST(WEFT_TEST_SUITE, HasHandles) {
    const threading::Thread a;
    const threading::Thread same = a;  // NOLINT(performance-unnecessary-copy-initialization)
    const threading::Thread b;
    const threading::Timer timer(1s, [] {});
    const auto object = threading::Thread::of<Counter>();
    EXPECT_TRUE(a == same);
    EXPECT_FALSE(a == b);
    const std::unordered_set<threading::Thread> handles{a, same, b, timer, object};
    EXPECT_EQ(handles.size(), 4U);
    EXPECT_EQ(std::hash<threading::Timer>()(timer), std::hash<threading::Thread>()(timer));
    EXPECT_EQ(std::hash<threading::ThreadOf<Counter>>()(object),
              std::hash<threading::Thread>()(object));
}

TEST(WEFT_TEST_SUITE, HasScopes) {
    int runs = 0;
    {
        const threading::Joining scope{threading::Thread({.name = "scoped"}, [&runs] { ++runs; })};
        EXPECT_EQ(scope->name(), "scoped");
        EXPECT_EQ(scope.thread().name(), "scoped");
    }
    EXPECT_EQ(runs, 1);
}

TEST(WEFT_TEST_SUITE, HasTheFunctionsOfTheModule) {
    EXPECT_EQ(threading::current_thread(), threading::main_thread());
    EXPECT_EQ(threading::enumerate(), std::vector{threading::main_thread()});
    EXPECT_EQ(threading::active_count(), 1U);
    EXPECT_NE(threading::get_ident(), 0U);
    EXPECT_EQ(threading::get_native_id(), threading::current_thread().native_id());
    EXPECT_EQ(threading::stack_size(), 0U);
    EXPECT_GT(threading::TIMEOUT_MAX, 1e9);
    threading::local<int> value(7);
    EXPECT_EQ(*value, 7);
    threading::check_lock_order();
    threading::check_lock_order(false);
}

TEST(WEFT_TEST_SUITE, HasTheExceptionHook) {
    const threading::ExceptHook before = threading::excepthook;
    std::string what;
    threading::excepthook = [&what](const threading::ExceptHookArgs& args) { what = args.what(); };
    threading::Thread thread([] { throw std::range_error("too far"); });
    thread.start();
    thread.join();
    threading::excepthook = threading::original_excepthook;
    threading::excepthook = before;
    EXPECT_EQ(what, "std::range_error: too far");
}

template <class AnyLock>
void use_lock() {
    AnyLock lock;
    EXPECT_TRUE(lock.acquire());
    EXPECT_TRUE(lock.locked());
    lock.release();
    EXPECT_TRUE(lock.acquire(true, 1s));
    lock.release();
    EXPECT_TRUE(lock.acquire(false));
    lock.release();
    EXPECT_TRUE(lock.acquire(std::stop_token(), 1s));
    lock.release();
    EXPECT_THROW(lock.release(), std::runtime_error);
    EXPECT_TRUE(lock.try_lock_for(1s));
    lock.unlock();
    EXPECT_TRUE(lock.try_lock_until(std::chrono::steady_clock::now() + 1s));
    lock.unlock();
    {
        const threading::Guard guard(lock);
    }
    {
        const std::scoped_lock guard(lock);
    }
    EXPECT_FALSE(lock.locked());
    EXPECT_NE(lock.repr().find("unlocked"), std::string::npos) << lock.repr();
}

TEST(WEFT_TEST_SUITE, HasLocks) {
    use_lock<threading::Lock>();
    use_lock<threading::RLock>();
    threading::Lock lock;
    lock.acquire();
    EXPECT_FALSE(lock.try_lock());
    EXPECT_FALSE(lock.try_lock_for(0s));
    EXPECT_FALSE(lock.try_lock_for(-1s));
    EXPECT_FALSE(lock.try_lock_until(std::chrono::steady_clock::now()));
}

TEST(WEFT_TEST_SUITE, HasConditions) {
    threading::Lock lock;
    threading::Condition given(lock);
    threading::Condition own;
    for (auto* each : {&given, &own}) {
        EXPECT_THROW(each->notify(), std::runtime_error);
        const threading::Guard held(*each);
        EXPECT_TRUE(each->locked());
        EXPECT_FALSE(each->wait(0));
        EXPECT_FALSE(each->wait(std::stop_token(), 0));
        EXPECT_FALSE(each->wait_for([] { return false; }, 0));
        EXPECT_TRUE(each->wait_for([] { return true; }));
        EXPECT_TRUE(each->wait_for([] { return true; }, std::stop_token()));
        each->notify();
        each->notify(2);
        each->notify_all();
    }
    EXPECT_TRUE(given.try_lock());
    given.unlock();
    EXPECT_NE(own.repr().find("no waiters"), std::string::npos) << own.repr();
}

TEST(WEFT_TEST_SUITE, HasSemaphores) {
    threading::Semaphore semaphore(2);
    EXPECT_TRUE(semaphore.acquire());
    EXPECT_TRUE(semaphore.try_lock_for(1s));
    EXPECT_FALSE(semaphore.try_lock());
    EXPECT_FALSE(semaphore.try_lock_for(0s));
    EXPECT_FALSE(semaphore.try_lock_until(std::chrono::steady_clock::now()));
    EXPECT_FALSE(semaphore.acquire(false));
    EXPECT_FALSE(semaphore.acquire(true, 0));
    EXPECT_FALSE(semaphore.acquire(std::stop_token(), 0));
    semaphore.release(3);
    EXPECT_NE(semaphore.repr().find("value=3"), std::string::npos) << semaphore.repr();
    threading::BoundedSemaphore bounded(1);
    EXPECT_THROW(bounded.release(), std::invalid_argument);
    EXPECT_THROW(threading::Semaphore(-1), std::invalid_argument);
    const std::scoped_lock permit(bounded);
}

TEST(WEFT_TEST_SUITE, HasEvents) {
    threading::Event event;
    EXPECT_FALSE(event.wait(0));
    EXPECT_FALSE(event.wait(std::stop_token(), 0));
    event.set();
    EXPECT_TRUE(event.wait());
    EXPECT_TRUE(event.is_set());
    event.clear();
    EXPECT_FALSE(event.is_set());
    EXPECT_NE(event.repr().find("unset"), std::string::npos) << event.repr();
}

TEST(WEFT_TEST_SUITE, HasTimers) {
    int sum = 0;
    threading::Timer timer({.name = "timer"}, 0s, [&sum](int n) { sum += n; }, 2);
    EXPECT_EQ(timer.name(), "timer");
    timer.start();
    timer.join();
    EXPECT_EQ(sum, 2);
    EXPECT_FALSE(timer.cancel());
    EXPECT_THROW(timer.run(), std::runtime_error);
    EXPECT_NE(timer.repr().find("Timer(timer, stopped"), std::string::npos) << timer.repr();
    threading::Timer cancelled(1h, [&sum] { ++sum; });
    EXPECT_TRUE(cancelled.cancel());
    EXPECT_TRUE(cancelled.cancel());
    threading::Timer stopped(1h, [&sum] { ++sum; });
    EXPECT_TRUE(stopped.request_stop());
    for (auto* each : {&cancelled, &stopped}) {
        each->start();
        each->join();
    }
    EXPECT_EQ(sum, 2);
}

TEST(WEFT_TEST_SUITE, HasBarriers) {
    int actions = 0;
    threading::Barrier barrier(1, [&actions] { ++actions; });
    EXPECT_EQ(barrier.wait(), 0);
    EXPECT_EQ(barrier.wait(std::stop_token(), 1s), 0);
    EXPECT_EQ(actions, 2);
    EXPECT_EQ(barrier.parties(), 1);
    EXPECT_EQ(barrier.n_waiting(), 0);
    barrier.abort();
    EXPECT_TRUE(barrier.broken());
    EXPECT_THROW(barrier.wait(), threading::BrokenBarrierError);
    barrier.reset();
    EXPECT_FALSE(barrier.broken());
    EXPECT_NE(barrier.repr().find("waiters=0/1"), std::string::npos) << barrier.repr();
}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
TEST(WEFT_TEST_SUITE, HasOldNames) {
    threading::Thread thread;
    thread.setName("old");
    EXPECT_EQ(thread.getName(), "old");
    thread.setDaemon(true);
    EXPECT_TRUE(thread.isDaemon());
    EXPECT_EQ(threading::currentThread(), threading::main_thread());
    EXPECT_EQ(threading::activeCount(), 1U);
    threading::Lock lock;
    EXPECT_TRUE(lock.acquire_lock());
    EXPECT_TRUE(lock.locked_lock());
    EXPECT_FALSE(lock.acquire_lock(false));
    lock.release_lock();
    threading::Event event;
    EXPECT_FALSE(event.isSet());
    threading::Condition condition;
    EXPECT_THROW(condition.notifyAll(), std::runtime_error);
    EXPECT_THROW(throw threading::ThreadError("old"), std::runtime_error);
}
#pragma GCC diagnostic pop

}  // namespace
