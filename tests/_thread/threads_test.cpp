#include <weft/_thread/threads.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <latch>
#include <memory>
#include <optional>
#include <set>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <thread>
#include <type_traits>
#include <vector>

#include <weft/_thread/identity.hpp>
#include <weft/_thread/lock.hpp>
#include <weft/errors.hpp>
#include <weft/threading/functions.hpp>
#include <weft/threading/lock.hpp>
#include <weft/unraisable.hpp>

namespace {

using namespace std::chrono_literals;
namespace _thread = weft::_thread;
namespace threading = weft::threading;

/// What was handed to the hook as long as it lives.
class Unraisable {
public:
    Unraisable() {
        weft::unraisablehook = [this](const weft::UnraisableHookArgs& args) {
            message_ = args.err_msg;
            object_ = args.object;
            what_ = args.what();
            came_.count_down();
        };
    }
    ~Unraisable() { weft::unraisablehook = before_; }
    Unraisable(const Unraisable&) = delete;
    Unraisable& operator=(const Unraisable&) = delete;

    void wait() { came_.wait(); }
    [[nodiscard]] bool has_come() const { return came_.try_wait(); }
    [[nodiscard]] const std::string& message() const { return message_; }
    [[nodiscard]] const std::string& object() const { return object_; }
    [[nodiscard]] const std::string& what() const { return what_; }

private:
    weft::UnraisableHook before_ = weft::unraisablehook;
    std::latch came_{1};
    std::string message_;
    std::string object_;
    std::string what_;
};

/// Waits until the system's threads that were started without a handle are joined: each thread of
/// Weft that ends joins the one before it.
void let_the_last_one_go() {
    _thread::start_joinable_thread([] {}).join();
}

TEST(StartNewThread, CallsTheFunctionWithItsArgumentsAndReturnsTheIdentifier) {
    std::uint64_t seen = 0;
    int sum = 0;
    std::latch done(1);
    const std::uint64_t ident = _thread::start_new_thread(
        [&](int a, int& b) {
            seen = _thread::get_ident();
            b = a + 1;
            done.count_down();
        },
        4, std::ref(sum));
    done.wait();
    EXPECT_NE(ident, 0U);
    EXPECT_EQ(ident, seen);
    EXPECT_EQ(sum, 5);
    let_the_last_one_go();
}

TEST(StartNewThread, MovesItsArguments) {
    std::latch done(1);
    int seen = 0;
    _thread::start_new_thread(
        [&](std::unique_ptr<int> value) {
            seen = *value;
            done.count_down();
        },
        std::make_unique<int>(7));
    done.wait();
    EXPECT_EQ(seen, 7);
    let_the_last_one_go();
}

TEST(StartNewThread, LosesNoneOfMany) {
    constexpr int kMany = 200;
    std::atomic<int> sum{0};
    std::latch done(4 * kMany);
    {
        std::vector<std::jthread> starters;
        for (int s = 0; s < 4; ++s) {
            starters.emplace_back([&] {
                for (int i = 0; i < kMany; ++i) {
                    _thread::start_new_thread(
                        [&](int n) {
                            sum += n;
                            done.count_down();
                        },
                        i);
                }
            });
        }
    }
    done.wait();
    EXPECT_EQ(sum, 4 * kMany * (kMany - 1) / 2);
    let_the_last_one_go();
}

TEST(StartNewThread, IsNotListedUntilItAsksWhoItIs) {
    std::latch started(1);
    std::latch may_ask(1);
    std::latch asked(1);
    std::latch may_end(1);
    std::optional<threading::Thread> self;
    const std::size_t before = threading::active_count();
    _thread::start_new_thread([&] {
        started.count_down();
        may_ask.wait();
        self = threading::current_thread();
        asked.count_down();
        may_end.wait();
    });
    started.wait();
    EXPECT_EQ(threading::active_count(), before);
    EXPECT_EQ(threading::enumerate().size(), before);
    may_ask.count_down();
    asked.wait();
    EXPECT_EQ(threading::active_count(), before + 1);
    EXPECT_EQ(threading::enumerate().back(), *self);
    EXPECT_TRUE(self->name().starts_with("Dummy-")) << self->name();
    EXPECT_TRUE(self->repr().starts_with("<_DummyThread(Dummy-")) << self->repr();
    EXPECT_TRUE(self->daemon());
    EXPECT_TRUE(self->is_alive());
    EXPECT_THROW(self->join(), std::runtime_error);
    EXPECT_THROW(self->start(), std::runtime_error);
    may_end.count_down();
    let_the_last_one_go();
    while (self->is_alive()) std::this_thread::yield();
    EXPECT_EQ(threading::active_count(), before);
}

TEST(StartNewThread, KeepsItsNameAsADummyOnceItHasOne) {
    std::vector<std::string> names;
    _thread::start_joinable_thread([&] {
        for (int i = 0; i < 3; ++i) names.push_back(threading::current_thread().name());
    }).join();
    EXPECT_EQ(names.size(), 3U);
    EXPECT_EQ(std::set<std::string>(names.begin(), names.end()).size(), 1U);
}

void fails() {
    throw std::range_error("too far");
}

TEST(StartNewThread, ReportsAnExceptionAndTheFunctionAsUnraisable) {
    Unraisable hook;
    _thread::start_new_thread(&fails);
    hook.wait();
    EXPECT_EQ(hook.what(), "std::range_error: too far");
    EXPECT_EQ(hook.message(), "Exception ignored in thread started by");
    // By its name where the linker knows it, by its type and place elsewhere.
    EXPECT_NE(hook.object().find("void (*)()"), std::string::npos) << hook.object();
    let_the_last_one_go();
}

struct Failing {
    void operator()() const { throw std::range_error("an object"); }
};

TEST(StartNewThread, NamesACallableObjectByItsType) {
    Unraisable hook;
    _thread::start_new_thread(Failing{});
    hook.wait();
    EXPECT_NE(hook.object().find("Failing"), std::string::npos) << hook.object();
    let_the_last_one_go();
}

TEST(StartNewThread, EndsSilentlyByAnExitRequest) {
    Unraisable hook;
    _thread::start_joinable_thread([] { _thread::exit(); }).join();
    EXPECT_FALSE(hook.has_come());
}

template <class... All>
concept startable = requires(All... all) { _thread::start_new_thread(all...); };

TEST(StartNewThread, IsRefusedByTheCompilerForArgumentsThatDoNotFit) {
    EXPECT_TRUE((startable<void (*)(int), int>));
    EXPECT_TRUE((startable<void (*)(std::stop_token, int), int>));
    EXPECT_FALSE((startable<void (*)(int)>));
    EXPECT_FALSE((startable<void (*)(int), const char*>));
    EXPECT_FALSE(startable<int>);
}

TEST(StartJoinableThread, IsDoneOnceJoined) {
    std::latch may_end(1);
    std::uint64_t seen = 0;
    const _thread::ThreadHandle handle = _thread::start_joinable_thread([&] {
        seen = _thread::get_ident();
        may_end.wait();
    });
    EXPECT_FALSE(handle.is_done());
    handle.join(0);
    handle.join(0.001);
    handle.join(-1);
    EXPECT_FALSE(handle.is_done());
    may_end.count_down();
    handle.join();
    handle.join();
    EXPECT_TRUE(handle.is_done());
    EXPECT_EQ(handle.ident(), seen);
}

TEST(StartJoinableThread, FillsAHandleOnce) {
    _thread::ThreadHandle handle;
    EXPECT_EQ(handle.ident(), 0U);
    EXPECT_FALSE(handle.is_done());
    EXPECT_THROW(handle.join(), std::runtime_error);
    int runs = 0;
    const auto same = _thread::start_joinable_thread([&] { ++runs; }, {.handle = &handle});
    EXPECT_EQ(handle.ident(), same.ident());
    EXPECT_THROW(_thread::start_joinable_thread([&] { ++runs; }, {.handle = &handle}),
                 std::runtime_error);
    handle.join();
    EXPECT_EQ(runs, 1);
}

TEST(StartJoinableThread, CannotJoinItself) {
    _thread::ThreadHandle handle;
    std::string message;
    _thread::start_joinable_thread(
        [&] {
            try {
                handle.join();
            } catch (const std::runtime_error& error) {
                message = error.what();
            }
        },
        {.handle = &handle});
    handle.join();
    EXPECT_EQ(message, "join: a thread cannot wait for its own end");
}

TEST(StartJoinableThread, FillsTheHandleBeforeTheFunctionIsCalled) {
    for (int i = 0; i < 50; ++i) {
        _thread::ThreadHandle handle;
        std::uint64_t of_the_handle = 0;
        std::uint64_t own = 0;
        _thread::start_joinable_thread(
            [&] {
                of_the_handle = handle.ident();
                own = _thread::get_ident();
            },
            {.handle = &handle});
        handle.join();
        EXPECT_EQ(of_the_handle, own);
    }
}

TEST(StartJoinableThread, GivesItsThreadTheDefaultStackSize) {
    threading::stack_size(256 * 1024);
    _thread::start_joinable_thread([] {}).join();
    threading::stack_size(0);
}

TEST(StartJoinableThread, GivesANewThreadItsDaemonFlag) {
    for (const bool daemon : {false, true}) {
        bool inherited = !daemon;
        _thread::start_joinable_thread([&] { inherited = threading::Thread().daemon(); },
                                       {.daemon = daemon})
            .join();
        EXPECT_EQ(inherited, daemon);
    }
}

TEST(Exit, ThrowsSystemExitWithoutACode) {
    try {
        _thread::exit();
    } catch (const weft::SystemExit& request) {
        EXPECT_EQ(request.status(), 0);
    }
    EXPECT_THROW(_thread::exit(), weft::SystemExit);
}

TEST(LowLevelThreads, ShareTheErrorsAndLimitsOfThreading) {
    EXPECT_TRUE((std::is_same_v<_thread::error, std::runtime_error>));
    EXPECT_EQ(_thread::TIMEOUT_MAX, 9223372036.0);
    EXPECT_TRUE(_thread::daemon_threads_allowed());
}

TEST(AllocateLock, MakesAnUnlockedLock) {
    auto lock = _thread::allocate_lock();
    EXPECT_TRUE((std::is_same_v<decltype(lock), _thread::LockType>));
    EXPECT_FALSE(lock.locked());
    EXPECT_TRUE(lock.acquire(false));
    lock.release();
}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
TEST(LowLevelOldNames, MeanTheNewOnes) {
    auto lock = _thread::allocate();
    EXPECT_TRUE(lock.acquire_lock());
    EXPECT_TRUE(lock.locked_lock());
    EXPECT_FALSE(lock.acquire_lock(false));
    EXPECT_FALSE(lock.acquire_lock(true, 0.001));
    lock.release_lock();
    EXPECT_FALSE(lock.locked_lock());
    EXPECT_THROW(lock.release_lock(), std::runtime_error);
    EXPECT_THROW(_thread::exit_thread(), weft::SystemExit);
    std::latch done(1);
    EXPECT_NE(_thread::start_new([&done] { done.count_down(); }), 0U);
    done.wait();
    let_the_last_one_go();
}
#pragma GCC diagnostic pop

}  // namespace
