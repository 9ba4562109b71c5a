#include <weft/concurrent/futures.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include <weft/errors.hpp>
#include <weft/threading.hpp>
#include <weft/unraisable.hpp>

namespace {

using namespace std::chrono_literals;
using weft::concurrent::futures::CancelledError;
using weft::concurrent::futures::Future;
using weft::concurrent::futures::InvalidStateError;
using weft::concurrent::futures::ManualExecutor;

TEST(Future, BeginsPending) {
    const Future<int> future;
    EXPECT_FALSE(future.done());
    EXPECT_FALSE(future.running());
    EXPECT_FALSE(future.cancelled());
}

TEST(Future, GivesTheResultAsOftenAsAsked) {
    const Future<int> future;
    future.set_result(42);
    EXPECT_TRUE(future.done());
    EXPECT_EQ(future.result(), 42);
    EXPECT_EQ(&future.result(), &future.result());
}

TEST(Future, HoldsNothingForVoid) {
    const Future<> future;
    future.set_result();
    future.result();
    EXPECT_TRUE(future.done());
}

TEST(Future, HoldsAReference) {
    int object = 1;
    const Future<int&> future;
    future.set_result(object);
    future.result() = 2;
    EXPECT_EQ(object, 2);
    EXPECT_EQ(&Future<int&>(future).take(), &object);
}

TEST(Future, HoldsWhatCanOnlyBeMoved) {
    Future<std::unique_ptr<int>> future;
    future.set_result(std::make_unique<int>(8));
    EXPECT_EQ(*future.result(), 8);
    const std::unique_ptr<int> taken = std::move(future).result();
    EXPECT_EQ(*taken, 8);
    EXPECT_THROW(future.result(), InvalidStateError);
}

TEST(Future, CopiesForAnRvalueWhileThereAreOtherHandles) {
    Future<std::string> future;
    const Future<std::string> other = future;
    future.set_result("text that is too long for a small string");
    const std::string copied = std::move(future).result();
    EXPECT_EQ(other.result(), copied);
}

TEST(Future, MovesForAnRvalueThatIsTheLastHandle) {
    Future<std::string> future;
    future.set_result("text that is too long for a small string");
    const char* const place = future.result().data();
    EXPECT_EQ(std::move(future).result().data(), place);
    EXPECT_THROW(future.result(), InvalidStateError);
}

TEST(Future, IsTakenOnce) {
    const Future<std::string> future;
    future.set_result("x");
    EXPECT_EQ(future.take(), "x");
    EXPECT_THROW(future.take(), InvalidStateError);
    EXPECT_THROW(Future<std::string>(future).result(), InvalidStateError);
}

TEST(Future, ThrowsTheExceptionThatWasSet) {
    const Future<int> future;
    future.set_exception(std::out_of_range("seven"));
    EXPECT_THROW(future.result(), std::out_of_range);
    EXPECT_NE(future.exception(), nullptr);
}

TEST(Future, HasNoExceptionWhenItSucceeded) {
    const Future<int> future;
    future.set_result(1);
    EXPECT_EQ(future.exception(), nullptr);
}

TEST(Future, RefusesANullException) {
    const Future<int> future;
    EXPECT_THROW(future.set_exception(std::exception_ptr()), std::invalid_argument);
    EXPECT_FALSE(future.done());
}

TEST(Future, IsEndedOnce) {
    const Future<int> future;
    future.set_result(1);
    EXPECT_THROW(future.set_result(2), InvalidStateError);
    EXPECT_THROW(future.set_exception(std::runtime_error("late")), InvalidStateError);
    EXPECT_EQ(future.result(), 1);
}

TEST(Future, StaysPendingWhenMakingTheResultThrows) {
    struct Fragile {
        explicit Fragile(int n) {
            if (n < 0) throw std::domain_error("negative");
        }
        Fragile(const Fragile&) = default;
    };
    const Future<Fragile> future;
    EXPECT_THROW(future.set_result(-1), std::domain_error);
    EXPECT_FALSE(future.done());
    EXPECT_FALSE(future.running());
    future.set_result(1);
    EXPECT_TRUE(future.done());
}

TEST(Future, TimesOutWhileItIsPending) {
    const Future<int> future;
    EXPECT_THROW(future.result(0), weft::TimeoutError);
    EXPECT_THROW(future.exception(-1), weft::TimeoutError);
    EXPECT_THROW(future.result(1ms), weft::TimeoutError);
}

TEST(Future, StopsWaitingWhenAsked) {
    const Future<int> future;
    std::stop_source stop;
    stop.request_stop();
    EXPECT_THROW(future.result(stop.get_token()), weft::Cancelled);
    EXPECT_THROW(future.exception(stop.get_token()), weft::Cancelled);
}

TEST(Future, WakesThoseWhoWait) {
    const Future<int> future;
    weft::threading::Joining first{weft::threading::Thread([&] { EXPECT_EQ(future.result(), 5); })};
    weft::threading::Joining second{
        weft::threading::Thread([&] { EXPECT_EQ(future.exception(), nullptr); })};
    future.set_result(5);
}

TEST(Future, IsCancelledWhilePending) {
    const Future<int> future;
    EXPECT_TRUE(future.cancel());
    EXPECT_TRUE(future.cancelled());
    EXPECT_TRUE(future.done());
    EXPECT_TRUE(future.cancel());
    EXPECT_THROW(future.result(), CancelledError);
    EXPECT_THROW(future.exception(), CancelledError);
    EXPECT_THROW(future.set_result(1), InvalidStateError);
    EXPECT_FALSE(future.set_running_or_notify_cancel());
    EXPECT_TRUE(future.cancelled());
    EXPECT_THROW(future.set_running_or_notify_cancel(), std::runtime_error);
}

TEST(Future, IsNotCancelledWhileItRuns) {
    const Future<int> future;
    EXPECT_TRUE(future.set_running_or_notify_cancel());
    EXPECT_TRUE(future.running());
    EXPECT_FALSE(future.cancel());
    EXPECT_THROW(future.set_running_or_notify_cancel(), std::runtime_error);
    future.set_result(1);
    EXPECT_FALSE(future.running());
    EXPECT_FALSE(future.cancel());
    EXPECT_THROW(future.set_running_or_notify_cancel(), std::runtime_error);
}

TEST(Future, ReleasesWaitersByCancel) {
    const Future<int> future;
    weft::threading::Joining waiter{
        weft::threading::Thread([&] { EXPECT_THROW(future.result(), CancelledError); })};
    future.cancel();
}

TEST(Future, CallsBackInOrderOnce) {
    const Future<int> future;
    std::string calls;
    for (const char c : {'a', 'b', 'c'}) {
        future.add_done_callback([&calls, c](const Future<int>& done) {
            EXPECT_EQ(done.result(), 1);
            calls += c;
        });
    }
    future.set_result(1);
    EXPECT_EQ(calls, "abc");
    future.add_done_callback([&](const Future<int>&) { calls += 'd'; });
    EXPECT_EQ(calls, "abcd");
}

TEST(Future, CallsBackOnceWhenItIsCancelled) {
    const Future<int> future;
    int calls = 0;
    future.add_done_callback([&](const Future<int>& done) {
        EXPECT_TRUE(done.cancelled());
        ++calls;
    });
    future.cancel();
    future.cancel();
    future.set_running_or_notify_cancel();
    EXPECT_EQ(calls, 1);
}

TEST(Future, ReportsWhatACallbackThrowsAndGoesOn) {
    int reports = 0;
    const auto before = weft::unraisablehook;
    weft::unraisablehook = [&](const weft::UnraisableHookArgs& args) {
        EXPECT_EQ(args.what(), "std::runtime_error: callback");
        ++reports;
    };
    bool was_called = false;
    const Future<int> future;
    future.add_done_callback([](const Future<int>&) { throw std::runtime_error("callback"); });
    future.add_done_callback([&](const Future<int>&) { was_called = true; });
    future.set_result(1);
    weft::unraisablehook = before;
    EXPECT_EQ(reports, 1);
    EXPECT_TRUE(was_called);
}

TEST(Future, DestroysCallbacksThatAreNeverCalled) {
    const auto token = std::make_shared<int>(1);
    {
        const Future<int> future;
        future.add_done_callback([token](const Future<int>&) { FAIL(); });
        EXPECT_EQ(token.use_count(), 2);
    }
    EXPECT_EQ(token.use_count(), 1);
}

TEST(Future, ReportsOnceAnExceptionThatNobodyRead) {
    std::vector<std::string> reports;
    const auto before = weft::unraisablehook;
    weft::unraisablehook = [&](const weft::UnraisableHookArgs& args) {
        reports.push_back(args.what());
    };
    {
        const Future<int> unread;
        unread.set_exception(std::runtime_error("unread"));
        const Future<int> copy = unread;
        const Future<int> read;
        read.set_exception(std::runtime_error("read"));
        EXPECT_NE(read.exception(), nullptr);
    }
    weft::unraisablehook = before;
    EXPECT_EQ(reports, std::vector<std::string>{"std::runtime_error: unread"});
}

TEST(Future, HandlesOnOneOutcomeAreEqual) {
    const Future<int> future;
    const Future<int> same = future;
    const Future<int> other;
    EXPECT_EQ(future, same);
    EXPECT_NE(future, other);
    const std::unordered_set<Future<int>> set{future, same, other};
    EXPECT_EQ(set.size(), 2u);
}

TEST(Future, SaysItsStateAndWhatItReturned) {
    const Future<int> future;
    EXPECT_NE(future.repr().find(" state=pending>"), std::string::npos);
    future.set_running_or_notify_cancel();
    EXPECT_NE(future.repr().find(" state=running>"), std::string::npos);
    future.set_result(1);
    EXPECT_NE(future.repr().find(" state=finished returned int>"), std::string::npos);
    const Future<int> failed;
    failed.set_exception(std::out_of_range("x"));
    EXPECT_NE(failed.repr().find(" state=finished raised std::out_of_range>"), std::string::npos);
    EXPECT_NE(failed.exception(), nullptr);
}

TEST(Future, OfAnExecutorIsEndedByItAlone) {
    ManualExecutor executor;
    const auto future = executor.submit([] { return 1; });
    EXPECT_THROW(future.set_result(2), InvalidStateError);
    EXPECT_THROW(future.set_running_or_notify_cancel(), std::runtime_error);
    executor.run_one();
    EXPECT_EQ(future.result(), 1);
}

// Callbacks that let go of the last handle
// -----------------------------------------------------------------------------

class LastHandle : public testing::Test {
protected:
    LastHandle() {
        weft::unraisablehook = [this](const weft::UnraisableHookArgs& args) {
            EXPECT_NE(args.err_msg.find("callback"), std::string::npos);
            ++reports_;
        };
    }
    ~LastHandle() override { weft::unraisablehook = before_; }

    void let_go_and_throw(const Future<int>&) {
        future_.reset();
        throw std::runtime_error("callback");
    }

    std::unique_ptr<Future<int>> future_ = std::make_unique<Future<int>>();
    int calls_ = 0;
    int reports_ = 0;

private:
    weft::UnraisableHook before_ = weft::unraisablehook;
};

TEST_F(LastHandle, MayGoInACallbackOfAResult) {
    future_->add_done_callback([this](const Future<int>&) { future_.reset(); });
    future_->add_done_callback([this](const Future<int>& f) { calls_ += f.result(); });
    future_->set_result(1);
    EXPECT_EQ(calls_, 1);
}

TEST_F(LastHandle, MayGoInACallbackOfACancellation) {
    future_->add_done_callback([this](const Future<int>&) { future_.reset(); });
    future_->add_done_callback([this](const Future<int>& f) { calls_ += f.cancelled() ? 1 : 0; });
    EXPECT_TRUE(future_->cancel());
    EXPECT_EQ(calls_, 1);
}

TEST_F(LastHandle, MayGoInACallbackThatThrows) {
    future_->add_done_callback([this](const Future<int>& f) { let_go_and_throw(f); });
    future_->set_result(1);
    EXPECT_EQ(reports_, 1);
}

TEST_F(LastHandle, MayGoInACallbackThatThrowsAtOnce) {
    future_->set_result(1);
    future_->add_done_callback([this](const Future<int>& f) { let_go_and_throw(f); });
    EXPECT_EQ(reports_, 1);
}

TEST_F(LastHandle, MayGoWithTheCallThatItCancels) {
    ManualExecutor executor;
    auto owner = std::make_shared<Future<>>();
    Future<>& handle = *owner;
    handle = executor.submit([kept = std::move(owner)] {});
    EXPECT_TRUE(handle.cancel());
    EXPECT_TRUE(executor.run_one());  // takes away what was cancelled
    EXPECT_EQ(executor.pending(), 0u);
}

TEST(Future, TellsItsExecutorOfACancellationInTime) {
    // Which of the two comes first is a matter of luck; the executor is never told anything else
    // than whether to run.
    for (int i = 0; i < 2000; ++i) {
        const Future<int> future;
        std::atomic<bool> go = false;
        bool cancelled = false;
        bool must_run = false;
        {
            const weft::threading::Joining canceller{weft::threading::Thread([&] {
                while (!go.load()) {
                }
                cancelled = future.cancel();
            })};
            go = true;
            EXPECT_NO_THROW(must_run = future.set_running_or_notify_cancel());
        }
        EXPECT_NE(cancelled, must_run);
    }
}

}  // namespace
