// Ends with a pool at work, in the way that its argument names. What it writes shows the order.

#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <coroutine>
#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <vector>

#include <weft/concurrent/futures.hpp>
#include <weft/threading.hpp>

#include "children/ways.hpp"

namespace {

using namespace weft;
using futures::Future;
using futures::ThreadPoolExecutor;
using ways::say;

struct Statics {
    ~Statics() { say("statics"); }
};
Statics statics;

/// Never destroyed, as a pool that some global of the program's owns.
ThreadPoolExecutor& pool = *new ThreadPoolExecutor(2);
threading::Event& go = *new threading::Event;

void work() {
    go.wait();
    ways::dawdle();
    say("done");
}

void fill() {
    for (int i = 0; i < 3; ++i) pool.submit(work);
}

int queued_work_is_finished_first() {
    fill();
    say("main ends");
    go.set();
    return 0;
}

int shut_down_without_waiting() {
    fill();
    pool.shutdown({.wait = false});
    say("main ends");
    go.set();
    return 0;
}

int exit_in_a_call() {
    pool.submit([] { std::exit(3); });
    threading::Event().wait();
    return 0;
}

int exit_in_a_call_that_another_waits_for() {
    const Future<> first = pool.submit([] {
        go.wait();
        std::exit(4);
    });
    pool.submit([first] {
        go.set();
        try {
            first.result();
        } catch (const futures::BrokenExecutor&) {
            say("broken");
        }
    });
    go.wait();
    threading::Event().wait();
    return 0;
}

int exit_beside_an_idle_pool() {
    go.set();
    pool.submit(work).result();
    return 5;
}

ThreadPoolExecutor static_pool(2);

int static_pool_at_work() {
    for (int i = 0; i < 3; ++i) static_pool.submit(work);
    go.set();
    return 6;
}

int new_pool_at_the_end() {
    threading::Thread([] {
        threading::main_thread().join();
        ThreadPoolExecutor late(1);
        late.submit([] { say("late"); });
    }).start();
    return 0;
}

/// What a child of fork() sees of its parent's pool.
int fork_beside(bool is_busy) {
    threading::Event free;
    pool.submit([] {}).result();
    Future<> running = is_busy ? pool.submit([&] { free.wait(); }) : Future<>();
    const Future<> waiting = is_busy ? pool.submit([&] { free.wait(); }) : Future<>();
    const pid_t child = ::fork();
    if (child == 0) {
        try {
            pool.submit([] {});
            say("taken");
        } catch (const std::runtime_error&) {
            say("refused");
        }
        if (is_busy) {
            try {
                running.result();
            } catch (const std::runtime_error&) {
                say("never");
            }
        }
        {
            ThreadPoolExecutor own(1);
            if (own.submit([] { return 1; }).result() == 1) say("own");
        }
        pool.shutdown();
        std::exit(7);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    free.set();
    pool.submit([] {}).result();
    return WIFEXITED(status) ? WEXITSTATUS(status) : 99;
}
/// A coroutine that begins at once, and says what it waits for in vain.
struct Routine {
    struct promise_type {
        Routine get_return_object() noexcept { return {}; }
        std::suspend_never initial_suspend() noexcept { return {}; }
        std::suspend_never final_suspend() noexcept { return {}; }
        void return_void() noexcept {}
        void unhandled_exception() noexcept { std::abort(); }
    };
};
Routine await(Future<> future) {
    try {
        co_await future;
    } catch (const std::runtime_error&) {
        say("await");
    }
}

/// Each way to wait for what the parent's threads were to do throws instead of waiting for ever.
int fork_with_calls_under_way() {
    threading::Event free;
    const Future<> running = pool.submit([&] { free.wait(); });
    const Future<> other = pool.submit([&] { free.wait(); });
    auto early = futures::as_completed(std::vector<Future<>>{running, other});
    const auto both = futures::when_all(running, other);
    auto mapped = pool.map([&](int) { free.wait(); }, {1, 2});
    const pid_t child = ::fork();
    if (child == 0) {
        const auto refuses = [](const char* what, auto wait) {
            try {
                wait();
            } catch (const std::runtime_error&) {
                say(what);
            }
        };
        const std::vector<Future<>> all{running, other};
        refuses("wait", [&] { futures::wait(all); });
        refuses("first", [&] { futures::wait(all, {}, futures::FIRST_COMPLETED); });
        if (futures::wait(all, 0).not_done.size() == 2) say("look");
        refuses("late as_completed", [&] { futures::as_completed(all).begin(); });
        refuses("early as_completed", [&] { early.begin(); });
        refuses("map", [&] { mapped.begin(); });
        refuses("when_all", [&] { both.result(); });
        await(running);
        ::_exit(10);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    free.set();
    running.result();
    for (auto& each : early) each.result();
    both.result();
    for (auto each = mapped.begin(); each != mapped.end(); ++each) {
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 99;
}

/// Two pools without threads: nothing but the child's own destructors touches them.
int fork_with_pools_on_the_stack() {
    pid_t child = 0;
    {
        ThreadPoolExecutor first(1);
        ThreadPoolExecutor second(1);
        child = ::fork();
    }
    if (child == 0) {
        say("gone");
        ::_exit(11);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 99;
}

int fork_beside_an_idle_pool() {
    return fork_beside(false);
}
int fork_beside_a_busy_pool() {
    return fork_beside(true);
}

int fork_in_a_call() {
    const Future<int> status = pool.submit([] {
        const pid_t child = ::fork();
        if (child == 0) {
            try {
                pool.submit([] {});
            } catch (const std::runtime_error&) {
                say("refused");
            }
            ::_exit(8);
        }
        int result = 0;
        ::waitpid(child, &result, 0);
        return WEXITSTATUS(result);
    });
    return status.result();
}

int fork_while_shutting_down() {
    auto busy = std::make_unique<ThreadPoolExecutor>(1);
    threading::Event begun;
    const Future<> running = busy->submit([&] {
        begun.set();
        go.wait();
    });
    begun.wait();
    busy->shutdown({.wait = false});
    const pid_t child = ::fork();
    if (child == 0) {
        busy.reset();
        say("gone");
        std::exit(9);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    go.set();
    running.result();
    return WEXITSTATUS(status);
}

}  // namespace

int main(int argc, char** argv) {
    return ways::take(
        {{"queued_work_is_finished_first", queued_work_is_finished_first},
         {"shut_down_without_waiting", shut_down_without_waiting},
         {"exit_in_a_call", exit_in_a_call},
         {"exit_in_a_call_that_another_waits_for", exit_in_a_call_that_another_waits_for},
         {"exit_beside_an_idle_pool", exit_beside_an_idle_pool},
         {"static_pool_at_work", static_pool_at_work},
         {"new_pool_at_the_end", new_pool_at_the_end},
         {"fork_beside_an_idle_pool", fork_beside_an_idle_pool},
         {"fork_beside_a_busy_pool", fork_beside_a_busy_pool},
         {"fork_with_calls_under_way", fork_with_calls_under_way},
         {"fork_with_pools_on_the_stack", fork_with_pools_on_the_stack},
         {"fork_in_a_call", fork_in_a_call},
         {"fork_while_shutting_down", fork_while_shutting_down}},
        argc, argv);
}
