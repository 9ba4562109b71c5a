#include <weft/concurrent/futures.hpp>

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <type_traits>
#include <utility>

namespace {

using weft::concurrent::futures::CancelledError;
using weft::concurrent::futures::Executor;
using weft::concurrent::futures::Future;
using weft::concurrent::futures::ManualExecutor;
using weft::concurrent::futures::ShutdownOptions;
using weft::concurrent::futures::Task;

struct Account {
    int balance = 0;
    int deposit(int amount) { return balance += amount; }
};

/// Remembers what it was given.
class Keeper : public Executor {
public:
    ~Keeper() override { shutdown(); }

    Task task;

protected:
    void enqueue(Task given) override { task = std::move(given); }
    void stop(ShutdownOptions) override { task = Task(); }
};

class Refuser : public Executor {
protected:
    void enqueue(Task) override { throw std::runtime_error("no"); }
    void stop(ShutdownOptions) override {}
};

TEST(Executor, CallsWithTheArguments) {
    ManualExecutor executor;
    const auto sum = executor.submit([](int a, const std::string& b) { return a + std::stoi(b); },
                                     1, std::string("2"));
    executor.run_all();
    EXPECT_EQ(sum.result(), 3);
}

TEST(Executor, MovesWhatCanOnlyBeMoved) {
    ManualExecutor executor;
    auto box =
        executor.submit([](std::unique_ptr<int> given) { return given; }, std::make_unique<int>(8));
    executor.run_all();
    EXPECT_EQ(*std::move(box).result(), 8);
}

TEST(Executor, CallsMembersOfObjects) {
    ManualExecutor executor;
    Account account;
    const auto balance = executor.submit(&Account::deposit, &account, 5);
    executor.run_all();
    EXPECT_EQ(balance.result(), 5);
    EXPECT_EQ(account.balance, 5);
}

TEST(Executor, PassesReferencesOnRequest) {
    ManualExecutor executor;
    int n = 0;
    const Future<int&> same =
        executor.submit([](int& given) -> int& { return given; }, std::ref(n));
    executor.run_all();
    EXPECT_EQ(&same.result(), &n);
}

TEST(Executor, StoresWhatTheCallThrows) {
    ManualExecutor executor;
    const auto future = executor.submit([]() -> int { throw std::out_of_range("x"); });
    executor.run_all();
    EXPECT_THROW(future.result(), std::out_of_range);
}

TEST(Executor, PrefersACallWithoutAStopToken) {
    ManualExecutor executor;
    const auto future = executor.submit([](auto... all) { return sizeof...(all); }, 1, 2);
    executor.run_all();
    EXPECT_EQ(future.result(), 2u);
    EXPECT_FALSE(future.request_stop());
}

TEST(Executor, LetsARunningCallBeAskedToStop) {
    ManualExecutor executor;
    Future<bool> future;
    future = executor.submit(
        [&](const std::stop_token& stop, int) {
            EXPECT_FALSE(stop.stop_requested());
            EXPECT_TRUE(future.request_stop());
            EXPECT_FALSE(future.request_stop());
            return stop.stop_requested();
        },
        1);
    executor.run_all();
    EXPECT_TRUE(future.result());
}

TEST(Executor, MayBeAskedToStopACallThatHasEnded) {
    ManualExecutor executor;
    const auto future = executor.submit([](const std::stop_token&) {});
    executor.run_all();
    EXPECT_TRUE(future.request_stop());
}

TEST(Executor, DestroysTheCallBeforeTheFutureIsDone) {
    ManualExecutor executor;
    auto token = std::make_shared<int>(1);
    const std::weak_ptr<int> watch = token;
    const auto future = executor.submit([held = std::move(token)] { return *held; });
    bool was_gone = false;
    future.add_done_callback([&](const Future<int>&) { was_gone = watch.expired(); });
    executor.run_all();
    EXPECT_TRUE(was_gone);
    EXPECT_EQ(future.result(), 1);
}

TEST(Executor, DestroysACancelledCallAtOnce) {
    ManualExecutor executor;
    auto token = std::make_shared<int>(1);
    const std::weak_ptr<int> watch = token;
    const auto future = executor.submit([held = std::move(token)] { return *held; });
    EXPECT_TRUE(future.cancel());
    EXPECT_TRUE(watch.expired());
    EXPECT_TRUE(executor.run_one());
    EXPECT_THROW(future.result(), CancelledError);
}

TEST(Executor, TakesBigAndOverAlignedCalls) {
    struct alignas(64) Wide {
        std::array<char, 500> bytes{};
    };
    ManualExecutor executor;
    const auto future = executor.submit(
        [wide = Wide()] { return reinterpret_cast<std::uintptr_t>(&wide) % alignof(Wide); });
    executor.run_all();
    EXPECT_EQ(future.result(), 0u);
}

TEST(Executor, HandsOptionsToTheExecutor) {
    Keeper executor;
    executor.submit({.priority = 5, .name = "index"}, [](int) {}, 1);
    EXPECT_EQ(executor.task.priority(), 5);
    EXPECT_EQ(executor.task.name(), "index");
    executor.submit([] {});
    EXPECT_EQ(executor.task.priority(), 0);
    EXPECT_EQ(executor.task.name(), "");
}

TEST(Executor, CancelsATaskThatIsDropped) {
    Keeper executor;
    const auto dropped = executor.submit([] { return 1; });
    executor.task = Task();
    EXPECT_TRUE(dropped.cancelled());
    const auto cancelled = executor.submit([] { return 1; });
    executor.task.cancel();
    EXPECT_FALSE(executor.task);
    EXPECT_TRUE(cancelled.cancelled());
}

TEST(Executor, RunsATaskOnce) {
    Keeper executor;
    int calls = 0;
    const auto future = executor.submit([&] { ++calls; });
    executor.task.run();
    executor.task.run();
    EXPECT_FALSE(executor.task);
    EXPECT_EQ(calls, 1);
    future.result();
}

TEST(Executor, ThatRefusesLeavesNothingBehind) {
    Refuser executor;
    auto token = std::make_shared<int>(1);
    EXPECT_THROW(executor.submit([token] {}), std::runtime_error);
    EXPECT_EQ(token.use_count(), 1);
}

TEST(ManualExecutor, RunsOneCallAfterTheOther) {
    ManualExecutor executor;
    std::string order;
    executor.submit([&] { order += 'a'; });
    executor.submit([&] { order += 'b'; });
    EXPECT_EQ(executor.pending(), 2u);
    EXPECT_TRUE(executor.run_one());
    EXPECT_EQ(order, "a");
    EXPECT_EQ(executor.pending(), 1u);
    EXPECT_TRUE(executor.run_one());
    EXPECT_FALSE(executor.run_one());
    EXPECT_EQ(order, "ab");
}

TEST(ManualExecutor, RunsWhatItsCallsSubmit) {
    ManualExecutor executor;
    int calls = 0;
    executor.submit([&] {
        ++calls;
        executor.submit([&] { ++calls; });
    });
    EXPECT_EQ(executor.run_all(), 2u);
    EXPECT_EQ(calls, 2);
}

TEST(ManualExecutor, RunsWhatWaitsWhenItIsShutDown) {
    ManualExecutor executor;
    const auto future = executor.submit([] { return 1; });
    executor.shutdown();
    EXPECT_EQ(future.result(), 1);
    EXPECT_THROW(executor.submit([] {}), std::runtime_error);
    executor.shutdown();
}

TEST(ManualExecutor, KeepsWhatWaitsWhenItIsShutDownWithoutWaiting) {
    ManualExecutor executor;
    const auto future = executor.submit([] { return 1; });
    executor.shutdown({.wait = false});
    EXPECT_FALSE(future.done());
    EXPECT_TRUE(executor.run_one());
    EXPECT_EQ(future.result(), 1);
}

TEST(ManualExecutor, CancelsWhatWaitsOnRequest) {
    ManualExecutor executor;
    const auto future = executor.submit([] { return 1; });
    executor.shutdown({.cancel_futures = true});
    EXPECT_TRUE(future.cancelled());
}

TEST(ManualExecutor, RunsWhatWaitsInItsDestructor) {
    Future<int> future;
    {
        ManualExecutor executor;
        future = executor.submit([] { return 1; });
    }
    EXPECT_EQ(future.result(), 1);
}

TEST(ManualExecutor, CancelsWhatWaitsWhileAnExceptionUnwinds) {
    Future<int> future;
    try {
        ManualExecutor executor;
        future = executor.submit([] { return 1; });
        throw std::runtime_error("unwinding");
    } catch (const std::runtime_error&) {
    }
    EXPECT_TRUE(future.cancelled());
}

}  // namespace
