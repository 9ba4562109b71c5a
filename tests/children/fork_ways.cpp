// Forks in the way that its argument names. What both processes write shows what the child is.

#include <sys/wait.h>

#include <atomic>
#include <cstdlib>
#include <functional>
#include <semaphore>
#include <string>
#include <thread>

#include <weft/_thread/threads.hpp>
#include <weft/threading/functions.hpp>
#include <weft/threading/lock.hpp>
#include <weft/threading/thread.hpp>

#include "children/ways.hpp"

namespace {

using namespace weft;
using ways::dawdle;
using ways::say;

struct Statics {
    const char* text = "statics";
    std::function<void()> at_destruction;
    ~Statics() {
        if (at_destruction) at_destruction();
        say(text);
    }
};
Statics statics;

threading::Lock& make_closed() {
    auto* const lock = new threading::Lock;
    lock->acquire();
    return *lock;
}
threading::Lock& never = make_closed();

/// Forks, and is true in the child. The parent waits for it and says whether it ended with that
/// status.
bool is_forked_child(int expected) {
    const pid_t child = fork();
    if (child == 0) return true;
    int status = 0;
    const bool has_ended = waitpid(child, &status, 0) == child && WIFEXITED(status);
    say(has_ended && WEXITSTATUS(status) == expected ? "as expected" : "otherwise");
    return false;
}

void start_worker() {
    threading::Thread({.daemon = false}, [] {
        dawdle();
        say("child's worker done");
    }).start();
}

void describe_child() {
    const threading::Thread current = threading::current_thread();
    statics.text = "child's statics";
    say(current.name() + (current == threading::main_thread() ? " is main" : " is not main") +
        (current.daemon() ? ", daemon, " : ", ") + std::to_string(threading::active_count()) +
        " alive" + (current.native_id() == threading::get_native_id() ? "" : ", stale native id") +
        (current.ident() == threading::get_ident() ? "" : ", other ident"));
}

int in_main() {
    threading::Thread other({.daemon = true}, [] { never.acquire(); });
    other.start();
    if (!is_forked_child(9)) return 0;
    describe_child();
    say(other.is_alive() ? "other alive" : "other stopped");
    other.join();
    start_worker();
    return 9;
}

int in_main_with_exit() {
    if (!is_forked_child(10)) return 0;
    start_worker();
    std::exit(10);
}

int in_thread_that_returns() {
    threading::Thread forking({.name = "forking", .daemon = true}, [] {
        if (!is_forked_child(0)) return;
        describe_child();
        start_worker();
        threading::Thread({.daemon = true}, [] { never.acquire(); }).start();
    });
    forking.start();
    forking.join();
    return 0;
}

int in_thread_that_exits() {
    threading::Thread forking({.name = "forking"}, [] {
        if (!is_forked_child(11)) return;
        describe_child();
        start_worker();
        std::exit(11);
    });
    forking.start();
    forking.join();
    return 0;
}

int in_foreign_thread() {
    std::thread([] {
        if (!is_forked_child(12)) return;
        describe_child();
        start_worker();
        std::exit(12);
    }).join();
    return 0;
}

int in_dummy_thread() {
    std::thread([] {
        if (threading::current_thread().name() != "Dummy-1") say("no dummy");
        if (!is_forked_child(0)) return;
        describe_child();
        start_worker();
    }).join();
    return 0;
}

int in_bare_thread() {
    _thread::start_joinable_thread([] {
        if (!is_forked_child(0)) return;
        describe_child();
        start_worker();
    }).join();
    return 0;
}

int during_exit() {
    threading::Thread([] {
        threading::main_thread().join();  // returns when the exit has begun
        if (!is_forked_child(13)) return;
        describe_child();
        start_worker();
        std::exit(13);
    }).start();
    return 0;
}

int in_main_during_exit() {
    static auto& has_begun = make_closed();
    static auto& may_end = make_closed();
    const threading::Thread known = threading::current_thread();
    threading::Thread([] { may_end.acquire(); }).start();
    threading::Thread([] {
        threading::main_thread().join();  // returns when the exit has begun
        has_begun.release();
    }).start();
    threading::Thread([] { std::exit(0); }).start();
    has_begun.acquire();
    if (!is_forked_child(17)) {
        may_end.release();
        never.acquire();
    }
    say(known.is_alive() ? "main alive" : "main stopped");
    describe_child();
    return 17;
}

int in_static_destructor() {
    statics.at_destruction = [] {
        if (!is_forked_child(0)) return;
        statics.text = "child's statics";
        try {
            start_worker();
        } catch (const std::runtime_error&) {
            say("child refused");
        }
    };
    return 0;
}

int with_prepare_handler_that_uses_weft() {
    static auto& stop = *new threading::Lock;
    static auto& worker = *new threading::Thread([] { threading::Guard held(stop); });
    stop.acquire();
    worker.start();
    pthread_atfork(
        [] {
            stop.release();
            worker.join();
            say(std::to_string(threading::enumerate().size()) + " left");
        },
        nullptr, nullptr);
    if (!is_forked_child(14)) return 0;
    return 14;
}

int of_a_child() {
    if (!is_forked_child(15)) return 0;
    threading::Thread forking([] {
        if (!is_forked_child(16)) return;
        describe_child();
        std::exit(16);
    });
    forking.start();
    forking.join();
    statics.text = "child's statics";
    return 15;
}

int unstarted_thread() {
    threading::Thread waiting([] { say("started in the child"); });
    if (!is_forked_child(0)) return 0;
    waiting.start();
    waiting.join();
    statics.text = "child's statics";
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    return ways::take(
        {
            {"main", in_main},
            {"main_with_exit", in_main_with_exit},
            {"thread_that_returns", in_thread_that_returns},
            {"thread_that_exits", in_thread_that_exits},
            {"foreign_thread", in_foreign_thread},
            {"dummy_thread", in_dummy_thread},
            {"bare_thread", in_bare_thread},
            {"during_exit", during_exit},
            {"main_during_exit", in_main_during_exit},
            {"static_destructor", in_static_destructor},
            {"prepare_handler", with_prepare_handler_that_uses_weft},
            {"child", of_a_child},
            {"unstarted_thread", unstarted_thread},
        },
        argc, argv);
}
