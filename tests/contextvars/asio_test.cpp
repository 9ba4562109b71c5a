// Contexts that follow the coroutines of Boost.Asio.

#include <weft/contextvars/keep.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <boost/asio.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/local/connect_pair.hpp>
#include <boost/asio/local/stream_protocol.hpp>

#include <weft/contextvars/context.hpp>

namespace {

namespace asio = boost::asio;

using weft::contextvars::Context;
using weft::contextvars::ContextVar;
using weft::contextvars::keep;

using Timer = asio::steady_timer;
using namespace std::chrono_literals;

ContextVar<std::string> who("who", "nobody");
ContextVar<int> step("step", 0);

void run_in_threads(asio::io_context& io, int threads) {
    std::vector<std::jthread> others;
    for (int i = 1; i < threads; ++i) others.emplace_back([&] { io.run(); });
    io.run();
}

class AsioContext : public testing::TestWithParam<int> {};
INSTANTIATE_TEST_SUITE_P(Threads, AsioContext, testing::Values(1, 4));

TEST_P(AsioContext, FollowsACoroutineOverSuspensionsAndThreads) {
    constexpr int kCoroutines = 20;
    constexpr int kSteps = 50;
    std::atomic<int> right{0};
    asio::io_context io;
    const auto work = [&](std::string name) -> asio::awaitable<void> {
        Timer timer(co_await asio::this_coro::executor);
        who.set(name);
        for (int i = 0; i < kSteps; ++i) {
            step.set(i);
            timer.expires_after(std::chrono::microseconds(i % 3));
            co_await keep(timer.async_wait(asio::deferred));
            if (who.get() == name && step.get() == i) ++right;
        }
    };
    for (int i = 0; i < kCoroutines; ++i) {
        asio::co_spawn(io, work(std::to_string(i)), asio::detached);
    }
    Context().run([&] { run_in_threads(io, GetParam()); });
    EXPECT_EQ(right, kCoroutines * kSteps);
}

TEST_P(AsioContext, IsSharedByCoroutinesThatAwaitEachOther) {
    std::vector<std::string> seen;
    asio::io_context io;
    const auto child = [&]() -> asio::awaitable<void> {
        seen.push_back(who.get());
        co_await keep(asio::post(asio::deferred));
        seen.push_back(who.get());
        who.set("child");
    };
    const auto parent = [&]() -> asio::awaitable<void> {
        who.set("parent");
        co_await child();
        seen.push_back(who.get());
        co_await keep(asio::post(asio::deferred));
        seen.push_back(who.get());
    };
    asio::co_spawn(io, parent(), asio::detached);
    Context().run([&] { run_in_threads(io, GetParam()); });
    EXPECT_EQ(seen, (std::vector<std::string>{"parent", "parent", "child", "child"}));
}

TEST(AsioContextOnce, LeavesTheLoopsContextAloneAfterTheFirstSuspension) {
    asio::io_context io;
    std::string between;
    const auto work = [&]() -> asio::awaitable<void> {
        co_await keep(asio::post(asio::deferred));
        who.set("coroutine");
        asio::post(io, [&] { between = who.get(); });
        co_await keep(asio::post(asio::deferred));
        EXPECT_EQ(who.get(), "coroutine");
    };
    asio::co_spawn(io, work(), asio::detached);
    const auto scoped = who.scoped("loop");
    io.run();
    EXPECT_EQ(between, "loop");
    EXPECT_EQ(who.get(), "loop");
}

TEST(AsioContextOnce, ReturnsWhatTheOperationReturns) {
    asio::io_context io;
    asio::local::stream_protocol::socket here(io);
    asio::local::stream_protocol::socket there(io);
    asio::local::connect_pair(here, there);
    asio::write(there, asio::buffer(std::string_view("hello")));
    std::size_t count = 0;
    const auto work = [&]() -> asio::awaitable<void> {
        who.set("reader");
        std::string text(16, '\0');
        count = co_await keep(here.async_read_some(asio::buffer(text), asio::deferred));
        EXPECT_EQ(who.get(), "reader");
    };
    asio::co_spawn(io, work(), asio::detached);
    Context().run([&] { io.run(); });
    EXPECT_EQ(count, 5u);
}

TEST(AsioContextOnce, ThrowsWhatTheOperationThrowsAndCanBeCancelled) {
    asio::io_context io;
    asio::cancellation_signal signal;
    bool was_cancelled = false;
    const auto work = [&]() -> asio::awaitable<void> {
        Timer timer(io, 1h);
        who.set("waiter");
        try {
            co_await keep(timer.async_wait(asio::deferred));
        } catch (const boost::system::system_error& error) {
            was_cancelled = error.code() == asio::error::operation_aborted;
        }
        EXPECT_EQ(who.get(), "waiter");
    };
    asio::co_spawn(io, work(), asio::bind_cancellation_slot(signal.slot(), asio::detached));
    asio::post(io, [&] { signal.emit(asio::cancellation_type::all); });
    Context().run([&] { io.run(); });
    EXPECT_TRUE(was_cancelled);
}

TEST(AsioContextOnce, IsForCallbacksToo) {
    asio::io_context io;
    Timer timer(io, 0s);
    std::string seen;
    Context().run([&] {
        who.set("starter");
        keep(timer.async_wait(asio::deferred))(
            [&](const boost::system::error_code&) { seen = who.get(); });
    });
    io.run();
    EXPECT_EQ(seen, "starter");
    EXPECT_EQ(who.get(), "nobody");
}

TEST(AsioContextOnce, RunsACallbackWhereItsExecutorSays) {
    asio::io_context io;
    asio::io_context other;
    Timer timer(io, 0s);
    std::string seen;
    Context().run([&] {
        who.set("starter");
        keep(timer.async_wait(asio::deferred))(asio::bind_executor(
            other, [&](const boost::system::error_code&) { seen = who.get(); }));
    });
    io.run();
    EXPECT_EQ(seen, "");
    other.run();
    EXPECT_EQ(seen, "starter");
}

}  // namespace
