// Contexts that follow coroutines of other people's making over suspensions and threads.

#include <weft/contextvars/keep.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <coroutine>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <weft/contextvars/context.hpp>
#include <weft/queue.hpp>

namespace {

using weft::contextvars::Context;
using weft::contextvars::ContextVar;
using weft::contextvars::copy_context;
using weft::contextvars::keep;

/// Threads that resume whatever coroutine is put into the queue.
class Pool {
public:
    explicit Pool(int threads) {
        for (int i = 0; i < threads; ++i) {
            threads_.emplace_back([this] {
                while (const auto coroutine = queue_.get()) coroutine->resume();
            });
        }
    }
    ~Pool() {
        for (std::size_t i = 0; i < threads_.size(); ++i) queue_.put(std::nullopt);
    }

    /// Goes on in a thread of the pool.
    auto hop() {
        struct Hop {
            Pool& pool;
            bool await_ready() const { return false; }
            void await_suspend(std::coroutine_handle<> coroutine) { pool.queue_.put(coroutine); }
            std::thread::id await_resume() const { return std::this_thread::get_id(); }
        };
        return Hop{*this};
    }

private:
    weft::queue::SimpleQueue<std::optional<std::coroutine_handle<>>> queue_;
    std::vector<std::jthread> threads_;
};

/// A coroutine that begins at once and is destroyed when it has ended.
struct Detached {
    struct promise_type {
        Detached get_return_object() { return {}; }
        std::suspend_never initial_suspend() noexcept { return {}; }
        std::suspend_never final_suspend() noexcept { return {}; }
        void return_void() {}
        void unhandled_exception() { std::terminate(); }
    };
};

/// A coroutine that begins when it is awaited, and resumes who awaits it.
class Child {
public:
    struct promise_type {
        Child get_return_object() {
            return Child(std::coroutine_handle<promise_type>::from_promise(*this));
        }
        std::suspend_always initial_suspend() noexcept { return {}; }
        auto final_suspend() noexcept {
            struct ToParent {
                bool await_ready() noexcept { return false; }
                std::coroutine_handle<> await_suspend(
                    std::coroutine_handle<promise_type> self) noexcept {
                    return self.promise().parent;
                }
                void await_resume() noexcept {}
            };
            return ToParent{};
        }
        void return_void() {}
        void unhandled_exception() { std::terminate(); }
        std::coroutine_handle<> parent;
    };

    Child(Child&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
    ~Child() {
        if (handle_) handle_.destroy();
    }
    bool await_ready() const { return false; }
    std::coroutine_handle<> await_suspend(std::coroutine_handle<> parent) {
        handle_.promise().parent = parent;
        return handle_;
    }
    void await_resume() const {}

private:
    explicit Child(std::coroutine_handle<promise_type> handle) : handle_(handle) {}
    std::coroutine_handle<promise_type> handle_;
};

ContextVar<std::string> who("who", "nobody");
ContextVar<int> step("step", 0);

class ContextKeep : public testing::TestWithParam<int> {};

TEST_P(ContextKeep, FollowsACoroutineOverSuspensionsAndThreads) {
    constexpr int kCoroutines = 20;
    constexpr int kHops = 50;
    std::atomic<int> right{0};
    std::atomic<int> ended{0};
    const auto work = [&](Pool& pool, std::string name) -> Detached {
        const auto token = who.set(name);
        for (int i = 0; i < kHops; ++i) {
            step.set(i);
            co_await keep(pool.hop());
            if (who.get() == name && step.get() == i) ++right;
        }
        who.reset(token);
        if (who.get() == "nobody") ++right;
        ++ended;
        ended.notify_one();
    };
    {
        Pool pool(GetParam());
        for (int i = 0; i < kCoroutines; ++i) {
            Context().run([&] { work(pool, std::to_string(i)); });
        }
        for (int seen = ended; seen != kCoroutines; seen = ended) ended.wait(seen);
    }
    EXPECT_EQ(right, kCoroutines * (kHops + 1));
    EXPECT_EQ(who.get(), "nobody");
}

TEST_P(ContextKeep, AwaitedCoroutinesShareTheContextOfWhoAwaitsThem) {
    std::atomic<bool> is_over{false};
    std::vector<std::string> seen;
    const auto child = [&](Pool& pool) -> Child {
        seen.push_back(who.get());
        co_await keep(pool.hop());
        seen.push_back(who.get());
        who.set("child");
    };
    const auto parent = [&](Pool& pool) -> Detached {
        who.set("parent");
        co_await child(pool);
        seen.push_back(who.get());
        is_over = true;
        is_over.notify_one();
    };
    Pool pool(GetParam());
    Context().run([&] { parent(pool); });
    is_over.wait(false);
    EXPECT_EQ(seen, (std::vector<std::string>{"parent", "parent", "child"}));
}

INSTANTIATE_TEST_SUITE_P(Threads, ContextKeep, testing::Values(1, 4));

/// Keeps the coroutine that awaits it.
struct Held {
    std::coroutine_handle<>* place;
    bool await_ready() const { return false; }
    void await_suspend(std::coroutine_handle<> coroutine) { *place = coroutine; }
    void await_resume() const {}
};

TEST(ContextKeepOnce, LeavesTheResumersContextAlone) {
    std::coroutine_handle<> held;
    const auto coroutine = [&]() -> Detached {
        who.set("coroutine");
        co_await keep(Held{&held});
        EXPECT_EQ(who.get(), "coroutine");
        who.set("changed");
    };
    const auto scoped = who.scoped("resumer");
    Context().run([&] { coroutine(); });
    EXPECT_EQ(who.get(), "resumer");
    held.resume();
    EXPECT_EQ(who.get(), "resumer");
}

TEST(ContextKeepOnce, WhoStartedTheCoroutineDoesNotSeeWhatItSetsLater) {
    std::coroutine_handle<> held;
    const auto coroutine = [&]() -> Detached {
        step.set(1);
        co_await keep(Held{&held});
        step.set(2);
    };
    Context context;
    context.run([&] { coroutine(); });
    held.resume();
    EXPECT_EQ(context[step], 1);
}

TEST(ContextKeepOnce, DoesNotSuspendWhenTheAwaitableDoesNot) {
    struct Ready {
        bool is_ready;
        bool await_ready() const { return is_ready; }
        bool await_suspend(std::coroutine_handle<>) const { return false; }
        int await_resume() const { return 7; }
    };
    int sum = 0;
    const auto coroutine = [&]() -> Detached {
        sum += co_await keep(Ready{true});
        sum += co_await keep(Ready{false});
    };
    coroutine();
    EXPECT_EQ(sum, 14);
}

TEST(ContextKeepOnce, AwaitsWhatHasAnAwaiter) {
    struct Indirect {
        std::coroutine_handle<>* place;
        Held operator co_await() const { return Held{place}; }
    };
    std::coroutine_handle<> held;
    bool has_ended = false;
    const auto coroutine = [&]() -> Detached {
        const Indirect indirect{&held};
        co_await keep(indirect);
        has_ended = true;
    };
    coroutine();
    held.resume();
    EXPECT_TRUE(has_ended);
}

TEST(ContextKeepOnce, ACoroutineMayBeDestroyedWhileItIsSuspended) {
    const auto value = std::make_shared<int>(1);
    ContextVar<std::shared_ptr<int>> shared("shared");
    std::coroutine_handle<> held;
    {
        const auto inner = [&]() -> Child {
            shared.set(value);
            co_await keep(Held{&held});
            ADD_FAILURE() << "was resumed";
        };
        Child child = inner();
        Context().run([&] { child.await_suspend(std::noop_coroutine()).resume(); });
        EXPECT_EQ(value.use_count(), 2);
    }
    EXPECT_EQ(value.use_count(), 1);
}

/// A generator runs in the context of whoever asks it for the next value.
class Numbers {
public:
    struct promise_type {
        Numbers get_return_object() {
            return Numbers(std::coroutine_handle<promise_type>::from_promise(*this));
        }
        std::suspend_always initial_suspend() noexcept { return {}; }
        std::suspend_always final_suspend() noexcept { return {}; }
        std::suspend_always yield_value(std::string given) {
            value = std::move(given);
            return {};
        }
        void return_void() {}
        void unhandled_exception() { std::terminate(); }
        std::string value;
    };
    Numbers(Numbers&&) = delete;
    ~Numbers() { handle_.destroy(); }
    std::string next() {
        handle_.resume();
        return handle_.promise().value;
    }

private:
    explicit Numbers(std::coroutine_handle<promise_type> handle) : handle_(handle) {}
    std::coroutine_handle<promise_type> handle_;
};

TEST(ContextKeepOnce, AGeneratorSeesTheContextOfWhoeverAsksIt) {
    const auto generate = []() -> Numbers {
        for (;;) co_yield who.get();
    };
    Numbers names = generate();
    EXPECT_EQ(names.next(), "nobody");
    {
        const auto scoped = who.scoped("asker");
        EXPECT_EQ(names.next(), "asker");
    }
    EXPECT_EQ(Context().run([&] { return names.next(); }), "nobody");
}

}  // namespace
