#include <weft/threading/thread.hpp>

#include <gtest/gtest.h>

#include <pthread.h>

#include <array>
#include <functional>
#include <latch>
#include <memory>
#include <optional>
#include <set>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <system_error>
#include <thread>
#include <unordered_set>
#include <vector>

#include <weft/errors.hpp>
#include <weft/threading/functions.hpp>
#include <weft/threading/lock.hpp>

namespace {

using namespace std::chrono_literals;
using namespace weft::threading;

/// A thread that runs until the object dies.
class Running {
public:
    explicit Running(ThreadOptions options = {})
        : thread_(std::move(options), [this] { Guard<Lock> held(lock_); }) {
        lock_.acquire();
        thread_.start();
    }
    ~Running() { finish(); }
    void finish() {
        if (lock_.locked() && !is_released_) lock_.release();
        is_released_ = true;
        thread_.join();
    }
    Thread& operator*() { return thread_; }
    Thread* operator->() { return &thread_; }

private:
    Lock lock_;
    Thread thread_;
    bool is_released_ = false;
};

void run_to_the_end(Thread thread) {
    thread.start();
    thread.join();
}

// What a thread runs
// -------------------------------------------------------------------------------

TEST(Thread, RunsTheTargetWithItsArguments) {
    int sum = 0;
    run_to_the_end(Thread([&sum](int a, int b) { sum = a + b; }, 3, 4));
    EXPECT_EQ(sum, 7);
}

TEST(Thread, WithoutTargetDoesNothing) {
    Thread idle;
    EXPECT_NO_THROW(idle.run());
    EXPECT_NO_THROW(idle.run());
    run_to_the_end(idle);
    EXPECT_FALSE(idle.is_alive());
}

TEST(Thread, CopiesItsArguments) {
    std::string text = "before";
    std::string seen;
    Thread thread([&seen](const std::string& given) { seen = given; }, text);
    text = "after";
    run_to_the_end(thread);
    EXPECT_EQ(seen, "before");
}

TEST(Thread, PassesReferencesThroughStdRef) {
    int value = 0;
    run_to_the_end(Thread([](int& given) { given = 5; }, std::ref(value)));
    EXPECT_EQ(value, 5);
}

TEST(Thread, TakesMoveOnlyTargetsAndArguments) {
    int seen = 0;
    run_to_the_end(Thread([&seen, owned = std::make_unique<int>(2)](
                              std::unique_ptr<int> given) { seen = *owned + *given; },
                          std::make_unique<int>(3)));
    EXPECT_EQ(seen, 5);
}

struct Account {
    int balance = 0;
    void add(int amount) { balance += amount; }
};

TEST(Thread, CallsMembersOfAnObject) {
    Account account;
    run_to_the_end(Thread(&Account::add, &account, 3));
    EXPECT_EQ(account.balance, 3);
}

int doubled = 0;
void double_it(int n) {
    doubled = 2 * n;
}

TEST(Thread, CallsAPlainFunction) {
    run_to_the_end(Thread(double_it, 21));
    EXPECT_EQ(doubled, 42);
}

TEST(Thread, GivesItsStopTokenToATargetThatAsksForIt) {
    int seen = 0;
    Thread thread(
        [&seen](std::stop_token stop, int n) {
            std::latch stopped(1);
            std::stop_callback callback(stop, [&] { stopped.count_down(); });
            stopped.wait();
            seen = n;
        },
        5);
    thread.start();
    EXPECT_TRUE(thread.request_stop());
    thread.join();
    EXPECT_EQ(seen, 5);
}

TEST(Thread, PrefersACallWithoutStopToken) {
    std::size_t count = 99;
    run_to_the_end(Thread([&count](auto... all) { count = sizeof...(all); }, 1, 2));
    EXPECT_EQ(count, 2U);
}

TEST(Thread, RunCallsTheTargetHereAndReleasesIt) {
    auto owned = std::make_shared<int>(0);
    Thread thread([](const std::shared_ptr<int>& n) { ++*n; }, owned);
    EXPECT_EQ(owned.use_count(), 2);
    thread.run();
    EXPECT_EQ(*owned, 1);
    EXPECT_EQ(owned.use_count(), 1);
    EXPECT_THROW(thread.run(), std::runtime_error);
    EXPECT_EQ(*owned, 1);
    EXPECT_FALSE(thread.is_alive());
}

TEST(Thread, RunPassesTheTargetsExceptionOnAndReleasesTheTarget) {
    auto owned = std::make_shared<int>(0);
    Thread thread([](const std::shared_ptr<int>&) { throw std::domain_error("bad"); }, owned);
    EXPECT_THROW(thread.run(), std::domain_error);
    EXPECT_EQ(owned.use_count(), 1);
}

TEST(Thread, ReleasesTheTargetOnItsOwnThread) {
    std::uint64_t where = 0;
    struct Witness {
        std::uint64_t* where;
        ~Witness() { *where = get_ident(); }
    };
    Thread thread([](const std::unique_ptr<Witness>&) {},
                  std::unique_ptr<Witness>(new Witness{&where}));
    thread.start();
    const auto ident = thread.ident();
    thread.join();
    EXPECT_EQ(where, ident);
}

// Runnable
// -----------------------------------------------------------------------------------------

struct Counter : Runnable {
    Counter() = default;
    explicit Counter(int start) : n(start) {}
    void run() override { ++n; }
    int n = 0;
};

TEST(ThreadOf, RunsTheObjectAndReachesIt) {
    auto counter = Thread::of<Counter>();
    counter.start();
    counter.join();
    EXPECT_EQ(counter->n, 1);
    EXPECT_EQ((*counter).n, 1);
}

TEST(ThreadOf, ForwardsArgumentsAndOptions) {
    auto counter = Thread::of<Counter>({.name = "counter", .daemon = true}, 5);
    EXPECT_EQ(counter.name(), "counter");
    EXPECT_TRUE(counter.daemon());
    counter.run();
    counter.run();
    EXPECT_EQ(counter->n, 7);
}

struct Tracked : Runnable {
    explicit Tracked(std::shared_ptr<int> t) : token(std::move(t)) {}
    void run() override {}
    std::shared_ptr<int> token;
};

TEST(ThreadOf, ObjectLivesUntilTheLastHandleIsGone) {
    auto token = std::make_shared<int>(0);
    {
        Thread plain;
        {
            auto typed = Thread::of<Tracked>(token);
            plain = typed;
            typed.start();
            typed.join();
            EXPECT_EQ(plain, typed);
        }
        EXPECT_EQ(token.use_count(), 2);
        EXPECT_NO_THROW(plain.run());
    }
    EXPECT_EQ(token.use_count(), 1);
}

struct Gated : Runnable {
    explicit Gated(Lock& gate, std::shared_ptr<int> t) : lock(gate), token(std::move(t)) {}
    void run() override {
        Guard<Lock> held(lock);
        *token = 1;
    }
    Lock& lock;
    std::shared_ptr<int> token;
};

TEST(ThreadOf, ObjectOutlivesItsHandlesWhileItRuns) {
    Lock gate;
    gate.acquire();
    auto token = std::make_shared<int>(0);
    Thread::of<Gated>({.name = "gated"}, gate, token).start();
    EXPECT_EQ(token.use_count(), 2);
    const std::vector<Thread> running = enumerate();
    EXPECT_EQ(running.back().name(), "gated");
    gate.release();
    running.back().join();
    EXPECT_EQ(*token, 1);
}

// Starting
// -----------------------------------------------------------------------------------------

TEST(ThreadOf, ObjectOutlivesTheHandleThatRunsItHere) {
    struct Forgetful : Runnable {
        Forgetful(std::optional<Thread>& handle, bool& is_gone) : handle_(handle), gone_(is_gone) {}
        ~Forgetful() override { gone_ = true; }
        Forgetful(const Forgetful&) = delete;
        Forgetful& operator=(const Forgetful&) = delete;
        void run() override {
            handle_.reset();
            EXPECT_FALSE(gone_);
        }
        std::optional<Thread>& handle_;
        bool& gone_;
    };
    std::optional<Thread> handle;
    bool is_gone = false;
    handle = Thread::of<Forgetful>(handle, is_gone);
    handle->run();
    EXPECT_TRUE(is_gone);
}

TEST(Thread, HasIdentifiersOnceStartReturns) {
    std::uint64_t ident = 0;
    std::uint64_t native_id = 0;
    Thread thread([&] {
        ident = get_ident();
        native_id = get_native_id();
    });
    EXPECT_FALSE(thread.ident().has_value());
    EXPECT_FALSE(thread.native_id().has_value());
    thread.start();
    ASSERT_TRUE(thread.ident().has_value());
    ASSERT_TRUE(thread.native_id().has_value());
    thread.join();
    EXPECT_EQ(thread.ident(), ident);
    EXPECT_EQ(thread.native_id(), native_id);
    EXPECT_NE(ident, get_ident());
    EXPECT_NE(native_id, get_native_id());
}

TEST(Thread, StartsOnce) {
    int calls = 0;
    Thread thread([&calls] { ++calls; });
    thread.start();
    EXPECT_THROW(thread.start(), std::runtime_error);
    thread.join();
    EXPECT_THROW(thread.start(), std::runtime_error);
    EXPECT_EQ(calls, 1);
}

TEST(Thread, LeavesNoTraceWhenTheSystemRefuses) {
    int calls = 0;
    Thread thread([&calls] { ++calls; });
    const std::size_t before = active_count();
    const std::size_t old_size = stack_size(std::size_t{1} << 46U);
    EXPECT_THROW(thread.start(), std::system_error);
    stack_size(old_size);
    EXPECT_EQ(active_count(), before);
    EXPECT_EQ(enumerate().size(), before);
    EXPECT_FALSE(thread.is_alive());
    EXPECT_FALSE(thread.ident().has_value());
    EXPECT_THROW(thread.join(), std::runtime_error);
    thread.set_daemon(false);
    run_to_the_end(thread);
    EXPECT_EQ(calls, 1);
}

TEST(Thread, IsAliveWhileItRuns) {
    bool was_alive_inside = false;
    Thread thread([&] { was_alive_inside = current_thread().is_alive(); });
    EXPECT_FALSE(thread.is_alive());
    run_to_the_end(thread);
    EXPECT_TRUE(was_alive_inside);
    EXPECT_FALSE(thread.is_alive());
    Running running;
    EXPECT_TRUE(running->is_alive());
}

// Joining
// ------------------------------------------------------------------------------------------

TEST(Thread, JoinWithALimitLeavesARunningThreadJoinable) {
    Running running;
    running->join(0);
    EXPECT_TRUE(running->is_alive());
    running->join(-1);
    EXPECT_TRUE(running->is_alive());
    running->join(1ms);
    EXPECT_TRUE(running->is_alive());
    running.finish();
    EXPECT_FALSE(running->is_alive());
}

TEST(Thread, JoinNeedsAStartedThread) {
    Thread thread([] {});
    EXPECT_THROW(thread.join(), std::runtime_error);
    EXPECT_THROW(thread.join(0), std::runtime_error);
}

TEST(Thread, CannotJoinItself) {
    bool has_thrown = false;
    run_to_the_end(Thread([&] {
        try {
            current_thread().join();
        } catch (const std::runtime_error&) {
            has_thrown = true;
        }
    }));
    EXPECT_TRUE(has_thrown);
    EXPECT_THROW(main_thread().join(), std::runtime_error);
}

TEST(Thread, MayBeJoinedByManyAndAgain) {
    Running running;
    std::atomic<int> joined{0};
    {
        std::vector<std::jthread> joiners;
        for (int i = 0; i < 8; ++i) {
            joiners.emplace_back([&] {
                running->join();
                ++joined;
            });
        }
        running.finish();
    }
    EXPECT_EQ(joined, 8);
    EXPECT_NO_THROW(running->join());
    EXPECT_NO_THROW(running->join(0));
}

TEST(Thread, JoinReturnsAfterThreadLocalObjectsAreGone) {
    static std::atomic<int> gone;
    gone = 0;
    struct Late {
        ~Late() {
            for (int i = 0; i < 100; ++i) std::this_thread::yield();
            ++gone;
        }
    };
    run_to_the_end(Thread([] {
        thread_local Late late;
        (void)late;
    }));
    EXPECT_EQ(gone, 1);
}

TEST(Thread, JoinIsCancelledByAStopToken) {
    Running running;
    std::stop_source source;
    source.request_stop();
    EXPECT_THROW(running->join(source.get_token()), weft::Cancelled);
    EXPECT_TRUE(running->is_alive());
}

TEST(Thread, StopTokenWakesAJoinThatWaits) {
    Running running;
    std::stop_source source;
    bool was_cancelled = false;
    std::latch is_about_to(1);
    std::jthread joiner([&] {
        is_about_to.count_down();
        try {
            running->join(source.get_token(), 60s);
        } catch (const weft::Cancelled&) {
            was_cancelled = true;
        }
    });
    is_about_to.wait();
    source.request_stop();
    joiner.join();
    EXPECT_TRUE(was_cancelled);
}

TEST(Joining, StartsAndJoins) {
    bool has_run = false;
    {
        Joining joining{Thread([&has_run] { has_run = true; })};
        EXPECT_TRUE(joining->ident().has_value());
        EXPECT_THROW(Thread(joining.thread()).start(), std::runtime_error);
    }
    EXPECT_TRUE(has_run);
}

TEST(Joining, RequestsStopWhenAnExceptionUnwinds) {
    Thread thread([](const std::stop_token& stop) {
        std::latch stopped(1);
        const std::stop_callback callback(stop, [&] { stopped.count_down(); });
        stopped.wait();
    });
    EXPECT_THROW(
        {
            const Joining joining{thread};
            throw std::domain_error("out of the scope");
        },
        std::domain_error);
    EXPECT_FALSE(thread.is_alive());
}

TEST(Joining, DoesNotRequestStopAtAnOrdinaryEnd) {
    bool was_asked = true;
    Thread thread([&was_asked](const std::stop_token& stop) { was_asked = stop.stop_requested(); });
    {
        const Joining joining{thread};
    }
    EXPECT_FALSE(was_asked);
    EXPECT_FALSE(thread.get_stop_token().stop_requested());
}

TEST(Joining, AssignmentJoinsTheOldThread) {
    Thread first([] {});
    Thread second([] {});
    Joining joining{first};
    joining = Joining{second};
    EXPECT_FALSE(first.is_alive());
    EXPECT_EQ(joining.thread(), second);
}

}  // namespace
