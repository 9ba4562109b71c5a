#include "detail/fd_wait.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <future>
#include <memory>
#include <optional>
#include <stop_token>
#include <system_error>
#include <thread>
#include <vector>

#include <weft/manual_clock.hpp>

#include "detail/fd_waker.hpp"

namespace {

using namespace std::chrono_literals;
using weft::ManualClock;
using weft::Timeout;
using weft::detail::Deadline;
using weft::detail::FdWaker;
using weft::detail::FdWakerLease;
using weft::detail::WaitEnd;
using weft::detail::WaitLimits;
using weft::os::Watched;

class Pipe {
public:
    Pipe() {
        std::array<int, 2> ends{};
        if (pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) != 0) {
            throw std::system_error(errno, std::generic_category(), "pipe2");
        }
        input = ends[0];
        output = ends[1];
    }
    ~Pipe() {
        close(input);
        close_output();
    }
    Pipe(const Pipe&) = delete;
    Pipe& operator=(const Pipe&) = delete;

    void put() const { EXPECT_EQ(write(output, "x", 1), 1); }
    bool take() const {
        char byte = 0;
        return read(input, &byte, 1) == 1;
    }
    void fill() const {
        const std::array<char, 4096> block{};
        while (write(output, block.data(), block.size()) > 0) {
        }
    }
    void close_output() {
        if (output >= 0) close(output);
        output = -1;
    }

    int input = -1;
    int output = -1;
};

WaitEnd wait_for(std::vector<Watched>& watched, const WaitLimits& limits = {}) {
    return weft::detail::wait_for_descriptors(watched, limits);
}

WaitEnd wait_for_input(const Pipe& pipe, const WaitLimits& limits = {}) {
    std::vector<Watched> watched{{.fd = pipe.input}};
    return wait_for(watched, limits);
}

WaitLimits within(Timeout limit) {
    return {.deadline = Deadline::after(limit)};
}

/// Runs a wait on a thread of its own, whose waker is gone when the result is there.
template <class Wait>
auto on_a_thread(Wait wait) {
    return std::async(std::launch::async, std::move(wait));
}

TEST(FdWait, ReturnsAtOnceWhatIsReady) {
    const Pipe pipe;
    pipe.put();
    EXPECT_EQ(wait_for_input(pipe), WaitEnd::notified);
    EXPECT_EQ(wait_for_input(pipe, within(-1)), WaitEnd::notified);
}

TEST(FdWait, OnlyLooksWhenItsTimeHasPassed) {
    const Pipe pipe;
    EXPECT_EQ(wait_for_input(pipe, within(0)), WaitEnd::timed_out);
    EXPECT_EQ(wait_for_input(pipe, within(-1)), WaitEnd::timed_out);
}

TEST(FdWait, MarksWhatIsReadyAndNothingElse) {
    const Pipe empty;
    const Pipe full;
    full.put();
    std::vector<Watched> watched{{.fd = empty.input, .is_ready = true}, {.fd = full.input}};
    EXPECT_EQ(wait_for(watched), WaitEnd::notified);
    EXPECT_FALSE(watched[0].is_ready);
    EXPECT_TRUE(watched[1].is_ready);
}

TEST(FdWait, TakesAnEndedPeerForReady) {
    Pipe pipe;
    pipe.close_output();
    EXPECT_EQ(wait_for_input(pipe), WaitEnd::notified);
}

TEST(FdWait, WatchesForRoom) {
    const Pipe pipe;
    std::vector<Watched> watched{{.fd = pipe.output, .for_input = false, .for_output = true}};
    EXPECT_EQ(wait_for(watched), WaitEnd::notified);
    pipe.fill();
    EXPECT_EQ(wait_for(watched, within(0)), WaitEnd::timed_out);
    EXPECT_FALSE(watched[0].is_ready);
}

TEST(FdWait, WatchesMoreThanAFew) {
    std::vector<std::unique_ptr<Pipe>> pipes;
    std::vector<Watched> watched;
    for (int i = 0; i < 60; ++i) {
        pipes.push_back(std::make_unique<Pipe>());
        watched.push_back({.fd = pipes.back()->input});
    }
    EXPECT_EQ(wait_for(watched, within(0)), WaitEnd::timed_out);
    pipes[57]->put();
    EXPECT_EQ(wait_for(watched), WaitEnd::notified);
    for (std::size_t i = 0; i < watched.size(); ++i) EXPECT_EQ(watched[i].is_ready, i == 57) << i;
}

TEST(FdWait, RefusesWhatIsNotOpen) {
    const Pipe pipe;
    const int closed = dup(pipe.input);
    close(closed);
    for (const int fd : {closed, -1}) {
        std::vector<Watched> watched{{.fd = pipe.input}, {.fd = fd}};
        try {
            wait_for(watched);
            FAIL() << "descriptor " << fd << " was accepted";
        } catch (const std::system_error& error) {
            EXPECT_EQ(error.code(), std::errc::bad_file_descriptor);
            EXPECT_THAT(error.what(), testing::HasSubstr(std::to_string(fd)));
        }
    }
}

TEST(FdWait, NeverEndsEarly) {
    const Pipe pipe;
    const auto start = std::chrono::steady_clock::now();
    EXPECT_EQ(on_a_thread([&] { return wait_for_input(pipe, within(20ms)); }).get(),
              WaitEnd::timed_out);
    EXPECT_GE(std::chrono::steady_clock::now() - start, 20ms);
}

class FdWaitOnAStandingClock : public testing::Test {
protected:
    auto sleeping(const WaitLimits& limits) {
        auto end = on_a_thread([this, limits] { return wait_for_input(pipe, limits); });
        clock.wait_for_sleepers(1);
        return end;
    }
    Pipe pipe;
    ManualClock clock;
    std::optional<ManualClock::Installation> installed = clock.install();
};

TEST_F(FdWaitOnAStandingClock, EndsWithInput) {
    auto end = sleeping(within(1h));
    pipe.put();
    EXPECT_EQ(end.get(), WaitEnd::notified);
}

TEST_F(FdWaitOnAStandingClock, EndsWithThePeer) {
    auto end = sleeping(within(1h));
    pipe.close_output();
    EXPECT_EQ(end.get(), WaitEnd::notified);
}

TEST_F(FdWaitOnAStandingClock, EndsWhenTheClockReachesItsDeadline) {
    auto end = sleeping(within(1h));
    clock.advance(1h - 1ns);
    EXPECT_EQ(clock.sleepers(), 1U);
    clock.advance(1ns);
    EXPECT_EQ(end.get(), WaitEnd::timed_out);
}

TEST_F(FdWaitOnAStandingClock, GoesOnInRealTimeWhenTheClockIsRemoved) {
    auto end = sleeping(within(1h));
    clock.advance(1h - 20ms);
    const auto start = std::chrono::steady_clock::now();
    installed.reset();
    EXPECT_EQ(end.get(), WaitEnd::timed_out);
    EXPECT_GE(std::chrono::steady_clock::now() - start, 20ms);
}

TEST_F(FdWaitOnAStandingClock, IsTakenOverByAClockThatIsInstalledLater) {
    installed.reset();
    auto end = on_a_thread([&] { return wait_for_input(pipe, within(1h)); });
    for (bool is_asleep = false; !is_asleep; is_asleep = clock.sleepers() == 1) {
        std::this_thread::yield();
    }
    installed = clock.install();
    clock.advance(1h);
    EXPECT_EQ(end.get(), WaitEnd::timed_out);
}

TEST_F(FdWaitOnAStandingClock, EndsWithItsStopToken) {
    std::stop_source stop;
    const auto token = stop.get_token();
    auto end = sleeping({.deadline = Deadline::after(1h), .stop = &token});
    stop.request_stop();
    EXPECT_EQ(end.get(), WaitEnd::cancelled);
}

TEST_F(FdWaitOnAStandingClock, EndsWithAStopThatWasRequestedBefore) {
    std::stop_source stop;
    stop.request_stop();
    const auto token = stop.get_token();
    EXPECT_EQ(on_a_thread([&] { return wait_for_input(pipe, {.stop = &token}); }).get(),
              WaitEnd::cancelled);
    pipe.put();
    EXPECT_EQ(on_a_thread([&] { return wait_for_input(pipe, {.stop = &token}); }).get(),
              WaitEnd::notified);
}

TEST_F(FdWaitOnAStandingClock, ForgetsThePokesOfAnEarlierWait) {
    auto ends = on_a_thread([this] {
        std::vector<WaitEnd> all;
        for (int i = 0; i < 3; ++i) {
            all.push_back(wait_for_input(pipe, within(1h)));
            if (all.back() == WaitEnd::notified) pipe.take();
        }
        return all;
    });
    for (int i = 0; i < 2; ++i) {
        clock.wait_for_sleepers(1);
        clock.advance(1h);
    }
    clock.wait_for_sleepers(1);
    pipe.put();
    EXPECT_THAT(ends.get(),
                testing::ElementsAre(WaitEnd::timed_out, WaitEnd::timed_out, WaitEnd::notified));
}

std::atomic<int> signals_handled{0};

TEST_F(FdWaitOnAStandingClock, IsNotShortenedBySignals) {
    struct sigaction action{};
    struct sigaction before{};
    action.sa_handler = [](int) { signals_handled.fetch_add(1); };
    ASSERT_EQ(sigaction(SIGUSR1, &action, &before), 0);
    std::atomic<pthread_t> thread{};
    auto end = on_a_thread([&] {
        thread = pthread_self();
        return wait_for_input(pipe, within(1h));
    });
    clock.wait_for_sleepers(1);
    for (int i = 1; i <= 20; ++i) {
        ASSERT_EQ(pthread_kill(thread, SIGUSR1), 0);
        while (signals_handled < i) std::this_thread::yield();
    }
    EXPECT_EQ(clock.sleepers(), 1U);
    EXPECT_EQ(end.wait_for(0s), std::future_status::timeout);
    clock.advance(1h);
    EXPECT_EQ(end.get(), WaitEnd::timed_out);
    sigaction(SIGUSR1, &before, nullptr);
}

TEST(FdWait, WithoutADescriptorForItsWakerThrowsAndCanBeTriedAgain) {
    const Pipe pipe;
    on_a_thread([&] {
        // The undefined-behaviour sanitizer looks at a class once, and needs descriptors for that.
        EXPECT_NE(std::system_error(EMFILE, std::generic_category()).what(), nullptr);
        EXPECT_NE(std::system_error(EMFILE, std::system_category()).what(), nullptr);
        rlimit usual{};
        getrlimit(RLIMIT_NOFILE, &usual);
        // One descriptor may be watched, and none may be made.
        const rlimit none{.rlim_cur = 1, .rlim_max = usual.rlim_max};
        setrlimit(RLIMIT_NOFILE, &none);
        std::error_code code;
        try {
            wait_for_input(pipe, within(1h));
        } catch (const std::system_error& error) {
            code = error.code();
        }
        setrlimit(RLIMIT_NOFILE, &usual);
        EXPECT_EQ(code, std::errc::too_many_files_open);
        EXPECT_EQ(wait_for_input(pipe, within(1ms)), WaitEnd::timed_out);
    }).get();
}

TEST(FdWaker, IsOneForEachThreadAndClosedAtItsEnd) {
    int mine = -1;
    on_a_thread([&] {
        {
            const FdWakerLease first;
            mine = first->fd();
        }
        const FdWakerLease second;
        EXPECT_EQ(second->fd(), mine);
        EXPECT_EQ(fcntl(mine, F_GETFD), FD_CLOEXEC);
        on_a_thread([mine] { EXPECT_NE(FdWakerLease()->fd(), mine); }).get();
    }).get();
    EXPECT_EQ(fcntl(mine, F_GETFD), -1);
}

bool is_readable(int fd) {
    std::vector<Watched> watched{{.fd = fd}};
    return wait_for(watched, within(0)) == WaitEnd::notified;
}

TEST(FdWaker, IsReadableFromAPokeUntilItIsCleared) {
    FdWaker waker;
    EXPECT_FALSE(is_readable(waker.fd()));
    waker.poke();
    waker.poke();
    EXPECT_TRUE(is_readable(waker.fd()));
    EXPECT_TRUE(waker.is_poked());
    waker.clear();
    EXPECT_FALSE(is_readable(waker.fd()));
    EXPECT_FALSE(waker.is_poked());
    waker.poke();
    EXPECT_TRUE(is_readable(waker.fd()));
}

TEST(FdWaker, IsClearedOfAPokeThatCameLateToItsDescriptor) {
    // The mark was cleared between the two steps of the poke.
    FdWaker waker;
    weft::os::signal_wake_event(waker.fd());
    EXPECT_FALSE(waker.is_poked());
    EXPECT_TRUE(is_readable(waker.fd()));
    waker.clear();
    EXPECT_FALSE(is_readable(waker.fd()));
}

TEST_F(FdWaitOnAStandingClock, ClearsEveryPokeAndSleepsAgain) {
    std::atomic<int> waker{-1};
    auto end = on_a_thread([&] {
        waker = FdWakerLease()->fd();
        return wait_for_input(pipe, within(1h));
    });
    clock.wait_for_sleepers(1);
    for (int i = 0; i < 10; ++i) {
        weft::os::signal_wake_event(waker);
        while (is_readable(waker)) std::this_thread::yield();
    }
    EXPECT_EQ(clock.sleepers(), 1U);
    clock.advance(1h);
    EXPECT_EQ(end.get(), WaitEnd::timed_out);
}

/// Waits when its thread ends.
struct WaitsAtTheEnd {
    const Pipe* pipe = nullptr;
    std::atomic<int>* waited = nullptr;
    ~WaitsAtTheEnd() {
        if (wait_for_input(*pipe, within(1ms)) == WaitEnd::timed_out) waited->fetch_add(1);
    }
};

TEST(FdWaker, ServesWaitsInDestructorsOfAThreadThatEnds) {
    const Pipe pipe;
    std::atomic<int> waited{0};
    on_a_thread([&] {
        // Made before the thread's waker, and so destroyed after it.
        thread_local WaitsAtTheEnd at_the_end;
        at_the_end.pipe = &pipe;
        at_the_end.waited = &waited;
        EXPECT_EQ(wait_for_input(pipe, within(1ms)), WaitEnd::timed_out);
    }).get();
    // The result may be there before the thread is gone.
    while (waited == 0) std::this_thread::yield();
    EXPECT_EQ(waited, 1);
}

// Two threads that hand a byte to and fro, while a third one makes them look at the clock all the
// time: no byte and no wake-up is lost, and no poke ends a wait.
TEST(FdWaitStress, HandsEveryByteOnWhileItIsPoked) {
    constexpr int kRounds = 3'000;
    const Pipe there;
    const Pipe back;
    std::atomic<bool> is_over{false};
    std::jthread poking([&] {
        ManualClock clock;
        while (!is_over) {
            const auto installed = clock.install();
            clock.advance(1ns);
        }
    });
    const auto pass = [&](const Pipe& from, const Pipe& to) {
        int notified = 0;
        for (int round = 0; round < kRounds; ++round) {
            notified +=
                wait_for_input(from, within(weft::TIMEOUT_MAX)) == WaitEnd::notified ? 1 : 0;
            if (!from.take()) break;
            to.put();
        }
        return notified;
    };
    auto answering = on_a_thread([&] { return pass(there, back); });
    there.put();
    auto asking = on_a_thread([&] { return pass(back, there); });
    EXPECT_EQ(answering.get(), kRounds);
    EXPECT_EQ(asking.get(), kRounds);
    is_over = true;
}

}  // namespace
