// What happens to an exception that leaves a thread's target, and to other ways out of it.

#include <weft/threading/excepthook.hpp>

#include <gtest/gtest.h>

#include <pthread.h>

#include <exception>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include <weft/errors.hpp>
#include <weft/manual_clock.hpp>
#include <weft/threading/functions.hpp>
#include <weft/threading/lock.hpp>
#include <weft/threading/thread.hpp>
#include <weft/unraisable.hpp>

namespace {

using namespace std::chrono_literals;
using namespace weft::threading;

/// Records what excepthook is called with, and puts the old one back.
class Recording {
public:
    Recording() {
        excepthook = [this](const ExceptHookArgs& args) {
            where = get_ident();
            calls.push_back(args);
        };
    }
    ~Recording() { excepthook = before_; }

    std::vector<ExceptHookArgs> calls;
    std::uint64_t where = 0;

private:
    ExceptHook before_{excepthook};
};

template <class Target>
Thread run_to_the_end(Target target) {
    Thread thread({.name = "failing"}, std::move(target));
    thread.start();
    thread.join();
    return thread;
}

TEST(UncaughtException, GoesToTheHookOnItsThread) {
    const Recording hook;
    const Thread thread = run_to_the_end([] { throw std::domain_error("bad"); });
    ASSERT_EQ(hook.calls.size(), 1U);
    EXPECT_EQ(hook.calls[0].thread, thread);
    EXPECT_EQ(hook.calls[0].exc_type, "std::domain_error");
    EXPECT_EQ(hook.calls[0].what(), "std::domain_error: bad");
    EXPECT_THROW(std::rethrow_exception(hook.calls[0].exc_value), std::domain_error);
    EXPECT_EQ(hook.where, thread.ident());
    EXPECT_FALSE(thread.is_alive());
}

TEST(UncaughtException, OfARunnableGoesToTheHook) {
    struct Failing : Runnable {
        void run() override { throw std::domain_error("bad"); }
    };
    const Recording hook;
    auto failing = Thread::of<Failing>();
    failing.start();
    failing.join();
    ASSERT_EQ(hook.calls.size(), 1U);
    EXPECT_EQ(hook.calls[0].thread, failing);
}

TEST(UncaughtException, IsWrittenWithTheThreadsName) {
    testing::internal::CaptureStderr();
    run_to_the_end([] { throw std::domain_error("bad"); });
    const std::string text = testing::internal::GetCapturedStderr();
    EXPECT_TRUE(text.starts_with("Exception in thread failing")) << text;
    EXPECT_NE(text.find("std::domain_error: bad"), std::string::npos) << text;
}

TEST(UncaughtException, SystemExitIsSilent) {
    testing::internal::CaptureStderr();
    const Thread thread = run_to_the_end([] { throw weft::SystemExit(); });
    EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
    EXPECT_FALSE(thread.is_alive());
}

TEST(UncaughtException, OfATargetThatWasRunAlreadyIsARuntimeError) {
    const Recording hook;
    Thread thread([] {});
    thread.run();
    thread.start();
    thread.join();
    ASSERT_EQ(hook.calls.size(), 1U);
    EXPECT_THROW(std::rethrow_exception(hook.calls[0].exc_value), std::runtime_error);
}

TEST(UncaughtException, OfAHookIsUnraisable) {
    const ExceptHook before{excepthook};
    const weft::UnraisableHook unraisable_before{weft::unraisablehook};
    std::string reported;
    excepthook = [](const ExceptHookArgs&) { throw std::range_error("in the hook"); };
    weft::unraisablehook = [&](const weft::UnraisableHookArgs& args) { reported = args.what(); };
    const Thread thread = run_to_the_end([] { throw std::domain_error("bad"); });
    excepthook = before;
    weft::unraisablehook = unraisable_before;
    EXPECT_EQ(reported, "std::range_error: in the hook");
    EXPECT_FALSE(thread.is_alive());
}

TEST(UncaughtException, ReachesTheOriginalHookThroughItsOwnName) {
    const Recording hook;
    testing::internal::CaptureStderr();
    original_excepthook({"int", std::make_exception_ptr(std::domain_error("bad")), std::nullopt});
    const std::string text = testing::internal::GetCapturedStderr();
    EXPECT_TRUE(hook.calls.empty());
    EXPECT_NE(text.find(std::to_string(get_ident())), std::string::npos) << text;
}

struct Unwound {
    bool* flag;
    ~Unwound() { *flag = true; }
};

TEST(ForcedUnwinding, EndsTheThreadWithoutTheHook) {
    const Recording hook;
    bool was_unwound = false;
    const Thread thread = run_to_the_end([&was_unwound] {
        const Unwound unwound{&was_unwound};
        pthread_exit(nullptr);
    });
    EXPECT_TRUE(was_unwound);
    EXPECT_FALSE(thread.is_alive());
    EXPECT_TRUE(hook.calls.empty());
    EXPECT_EQ(active_count(), 1U);
}

TEST(ForcedUnwinding, PassesThroughTheHook) {
    const ExceptHook before{excepthook};
    excepthook = [](const ExceptHookArgs&) { pthread_exit(nullptr); };
    const Thread thread = run_to_the_end([] { throw std::domain_error("bad"); });
    excepthook = before;
    EXPECT_FALSE(thread.is_alive());
}

TEST(JoinWithALimit, GivesUpWhenTheClockHasMovedAndNotBefore) {
    weft::ManualClock clock;
    const auto installed = clock.install();
    Lock gate;
    gate.acquire();
    Thread thread([&gate] { const Guard held(gate); });
    thread.start();
    bool was_alive = false;
    {
        const Joining joiner{Thread([&] {
            thread.join(30s);
            was_alive = thread.is_alive();
        })};
        clock.wait_for_sleepers(1);
        clock.advance(29s);
        EXPECT_TRUE(joiner->is_alive());
        clock.advance(1s);
    }
    EXPECT_TRUE(was_alive);
    gate.release();
    thread.join();
}

}  // namespace
