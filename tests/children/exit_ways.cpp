// Ends in the way that its argument names. What it writes shows the order of events.

#include <pthread.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <optional>
#include <semaphore>
#include <stdexcept>
#include <thread>

#include <weft/_thread/threads.hpp>
#include <weft/sched.hpp>
#include <weft/threading/condition.hpp>
#include <weft/threading/functions.hpp>
#include <weft/threading/lock.hpp>
#include <weft/threading/thread.hpp>

#include "children/ways.hpp"

namespace {

using namespace weft;
using ways::dawdle;
using ways::say;

/// Says so when static objects are destroyed, after doing what the way to end asks for.
struct Statics {
    std::function<void()> at_destruction;
    ~Statics() {
        if (at_destruction) at_destruction();
        say("statics");
    }
};
Statics statics;
std::atomic<bool> is_destroying{false};

constexpr std::chrono::milliseconds kShortWait(20);
constexpr std::chrono::milliseconds kTimeToComeBack(80);

// Locks that are locked from the start and never destroyed.
threading::Lock& make_closed() {
    auto* const lock = new threading::Lock;
    lock->acquire();
    return *lock;
}
threading::Lock& gate = make_closed();
threading::Lock& second_gate = make_closed();
threading::Lock& never = make_closed();

void pass(threading::Lock& lock) {
    threading::Guard held(lock);
}

struct Opener {
    ~Opener() {
        say("main ends");
        gate.release();
    }
};
/// Opens the gate as the first thing that the thread does when it ends.
void open_gate_at_the_end() {
    thread_local Opener opener;
    (void)opener;
}

void work() {
    pass(gate);
    dawdle();
    say("worker done");
}

void start_worker() {
    threading::Thread(work).start();
}

void start_blocked(bool daemon) {
    threading::Thread({.daemon = daemon}, [] { never.acquire(); }).start();
}

int by_return() {
    open_gate_at_the_end();
    start_worker();
    return 3;
}

int by_exit() {
    open_gate_at_the_end();
    start_worker();
    std::exit(4);
}

int by_exit_of_joined_thread() {
    threading::Thread ending([] {
        threading::Thread([] {
            threading::main_thread().join();  // returns when the exit has begun
            dawdle();
            say("worker done");
        }).start();
        std::exit(5);
    });
    ending.start();
    ending.join();
    say("joined");  // never: main would run on and end the program a second time
    return 97;
}

int by_exit_of_daemon() {
    statics.at_destruction = [] {
        try {
            threading::Thread([] { say("started"); }).start();
        } catch (const std::runtime_error& refusal) {
            say(refusal.what());
        }
    };
    threading::Thread({.daemon = true}, [] { std::exit(14); }).start();
    never.acquire();
    return 97;
}

int by_exit_of_foreign_thread() {
    start_blocked(true);
    std::thread([] { std::exit(6); }).detach();
    never.acquire();
    return 97;
}

int by_two_exits() {
    const Opener opener;  // not at the thread's end, which glibc 2.41 does not let it reach
    start_worker();
    threading::Thread ending([] { std::exit(7); });
    ending.start();
    threading::Thread([ending] {
        ending.join();  // returns when the exit has begun, which waits for this thread
        second_gate.release();
    }).start();
    pass(second_gate);
    return 97;  // main leaves the end to the thread that began it
}

int by_exit_of_a_thread_that_main_waits_for() {
    threading::Thread([] {
        threading::main_thread().join();
        std::exit(97);
    }).start();
    return 8;
}

int by_exit_of_a_thread_that_a_worker_waits_for() {
    threading::Thread ending({.daemon = true}, [] {
        threading::main_thread().join();  // so that main is the one that ends the program
        std::exit(97);
    });
    ending.start();
    threading::Thread([ending] {
        ending.join();
        say("worker done");
    }).start();
    return 8;
}

struct OpenerOnUnwinding {
    ~OpenerOnUnwinding() {
        say("unwound");
        gate.release();
    }
};

int by_pthread_exit() {
    start_worker();
    start_blocked(true);
    const OpenerOnUnwinding opener;
    pthread_exit(nullptr);
}

int by_pthread_exit_beside_a_foreign_thread() {
    std::thread([] {
        threading::main_thread().join();
        threading::Thread still_possible([] { say("started"); });
        still_possible.start();
        still_possible.join();
    }).detach();
    pthread_exit(nullptr);
}

int by_quick_exit() {
    start_blocked(false);
    std::quick_exit(9);
}

int by_immediate_exit() {
    start_blocked(false);
    std::_Exit(10);
}

int by_abort() {
    start_blocked(false);
    std::abort();
}

int by_exception() {
    start_blocked(false);
    throw std::runtime_error("out of main");
}

int leaving_daemon_blocked() {
    start_blocked(true);
    return 0;
}

/// The program waits for the one that is no daemon, and for no other.
int leaving_bare_threads() {
    static threading::Lock& closed = *new threading::Lock;
    closed.acquire();
    _thread::start_new_thread([] { closed.acquire(); });
    _thread::start_joinable_thread([] { closed.acquire(); });
    _thread::start_joinable_thread(
        [] {
            threading::main_thread().join();
            say("worker done");
        },
        {.daemon = false});
    return 0;
}

int leaving_daemon_running() {
    threading::Thread({.daemon = true}, [] {
        static std::atomic<int> rounds{0};
        for (;;) rounds.fetch_add(1);
    }).start();
    return 0;
}

int leaving_daemon_that_enters() {
    static auto& go = *new std::binary_semaphore(0);
    static std::atomic<bool> is_about_to{false};
    threading::Thread({.daemon = true}, [] {
        go.acquire();
        is_about_to.store(true);
        pass(never);
        say("entered");
    }).start();
    statics.at_destruction = [] {
        go.release();
        while (!is_about_to.load()) sched_yield();
        dawdle();
        never.release();
        dawdle();
    };
    return 0;
}

/// Leaves a daemon in `wait`, and gives it time to come back while static objects are destroyed.
int leaving_daemon_that_waits(void (*wait)(), void (*end_wait)()) {
    static auto* const end = end_wait;
    static std::atomic<bool> is_about_to{false};
    threading::Thread({.daemon = true}, [wait] {
        is_about_to.store(true);
        for (;;) {
            wait();
            if (is_destroying.load()) say("came back");
        }
    }).start();
    while (!is_about_to.load()) sched_yield();
    dawdle();
    statics.at_destruction = [] {
        is_destroying.store(true);
        end();
        std::this_thread::sleep_for(kTimeToComeBack);
    };
    return 0;
}

int leaving_daemon_with_a_limit() {
    return leaving_daemon_that_waits([] { never.acquire(true, kShortWait); }, [] {});
}

int leaving_daemon_that_is_let_go() {
    return leaving_daemon_that_waits([] { never.acquire(); },
                                     [] {
                                         never.release();
                                         dawdle();
                                         pass(never);  // not kept by the thread that is parked
                                     });
}

int leaving_daemon_in_a_condition() {
    static auto& changed = *new threading::Condition;
    return leaving_daemon_that_waits(
        [] {
            const threading::Guard held(changed);
            changed.wait(kShortWait);
        },
        [] { const threading::Guard held(changed); });
}

int leaving_daemon_in_join() {
    static auto& endless = *new threading::Thread({.daemon = true}, [] { never.acquire(); });
    endless.start();
    return leaving_daemon_that_waits([] { endless.join(kShortWait); }, [] {});
}

int leaving_daemon_in_a_scheduler() {
    // Destroyed before `statics`, and with it the line that the daemon waits in.
    static sched::scheduler s;
    static std::atomic<bool> is_about_to{false};
    s.enter(0, 1, [] { is_about_to.store(true); });
    s.enter(std::chrono::duration<double>(kShortWait).count(), 1, [] {
        if (is_destroying.load()) say("came back");
    });
    threading::Thread({.daemon = true}, [] { s.run(); }).start();
    while (!is_about_to.load()) sched_yield();
    statics.at_destruction = [] {
        is_destroying.store(true);
        std::this_thread::sleep_for(kTimeToComeBack);
    };
    return 0;
}

/// Leaves a daemon in an event of `s`, after which two more are due.
int leaving_daemon_in_an_event_of(sched::scheduler& s) {
    static std::atomic<bool> is_inside{false};
    s.enter(0, 1, [] {
        is_inside.store(true);
        while (!is_destroying.load()) sched_yield();
    });
    for (int i = 0; i < 2; ++i) s.enter(0, 2, [] { say("came back"); });
    threading::Thread({.daemon = true}, [&s] { s.run(); }).start();
    while (!is_inside.load()) sched_yield();
    statics.at_destruction = [] {
        is_destroying.store(true);
        std::this_thread::sleep_for(kTimeToComeBack);
    };
    return 0;
}

int leaving_daemon_in_an_event() {
    return leaving_daemon_in_an_event_of(*new sched::scheduler);
}

int leaving_daemon_in_an_event_of_a_static_scheduler() {
    static sched::scheduler s;
    return leaving_daemon_in_an_event_of(s);
}

/// Whose waiting Weft does not see.
int leaving_daemon_in_a_delay_function() {
    static std::atomic<bool> is_inside{false};
    static auto& s = *new sched::scheduler([] { return is_destroying.load() ? 2.0 : 0.0; },
                                           [](double) {
                                               is_inside.store(true);
                                               while (!is_destroying.load()) sched_yield();
                                           });
    s.enter(1, 1, [] { say("came back"); });
    threading::Thread({.daemon = true}, [] { s.run(); }).start();
    while (!is_inside.load()) sched_yield();
    statics.at_destruction = [] {
        is_destroying.store(true);
        std::this_thread::sleep_for(kTimeToComeBack);
    };
    return 0;
}

int by_exit_in_an_event() {
    static sched::scheduler s;
    s.enter(0, 1, [] { std::exit(15); });
    s.run();
    return 97;
}

int starting_at_exit() {
    open_gate_at_the_end();
    threading::Thread([] {
        pass(gate);
        threading::Thread([] {
            dawdle();
            say("late worker done");
        }).start();
    }).start();
    return 0;
}

int starting_after_exit() {
    statics.at_destruction = [] {
        try {
            threading::Thread([] { say("started"); }).start();
        } catch (const std::runtime_error& refusal) {
            say(refusal.what());
        }
    };
    return 0;
}

int joining_a_daemon_after_exit() {
    static auto& daemon = *new threading::Thread({.daemon = true}, [] { never.acquire(); });
    daemon.start();
    statics.at_destruction = [] {
        try {
            daemon.join(0);
        } catch (const std::runtime_error&) {
            say("refused");
        }
    };
    return 0;
}

int joining_a_bare_daemon_after_exit() {
    static auto& handle =
        *new _thread::ThreadHandle(_thread::start_joinable_thread([] { never.acquire(); }));
    statics.at_destruction = [] {
        try {
            handle.join(0);
        } catch (const std::runtime_error&) {
            say("refused");
        }
    };
    return 0;
}

int leaving_the_scope_of_a_daemon_after_exit() {
    static auto& scope = *new std::optional<threading::Joining>;
    scope.emplace(threading::Thread({.daemon = true}, [] { never.acquire(); }));
    statics.at_destruction = [] {
        scope.reset();
        say("left");
    };
    return 0;
}

int using_weft_in_static_destructors() {
    statics.at_destruction = [] {
        threading::Lock lock;
        const threading::Guard held(lock);
        say(threading::current_thread().name());
        const bool is_main = threading::main_thread() == threading::current_thread();
        say(is_main && threading::enumerate().size() == 1 ? "main alone" : "others");
    };
    threading::Thread worker([] { say("worker done"); });
    worker.start();
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    return ways::take(
        {
            {"return", by_return},
            {"exit", by_exit},
            {"exit_of_joined_thread", by_exit_of_joined_thread},
            {"exit_of_daemon", by_exit_of_daemon},
            {"exit_of_foreign_thread", by_exit_of_foreign_thread},
            {"two_exits", by_two_exits},
            {"exit_of_a_thread_that_main_waits_for", by_exit_of_a_thread_that_main_waits_for},
            {"exit_of_a_thread_that_a_worker_waits_for",
             by_exit_of_a_thread_that_a_worker_waits_for},
            {"pthread_exit", by_pthread_exit},
            {"pthread_exit_beside_a_foreign_thread", by_pthread_exit_beside_a_foreign_thread},
            {"quick_exit", by_quick_exit},
            {"immediate_exit", by_immediate_exit},
            {"abort", by_abort},
            {"exception", by_exception},
            {"daemon_blocked", leaving_daemon_blocked},
            {"bare_threads", leaving_bare_threads},
            {"daemon_running", leaving_daemon_running},
            {"daemon_that_enters", leaving_daemon_that_enters},
            {"daemon_with_a_limit", leaving_daemon_with_a_limit},
            {"daemon_that_is_let_go", leaving_daemon_that_is_let_go},
            {"daemon_in_a_condition", leaving_daemon_in_a_condition},
            {"daemon_in_join", leaving_daemon_in_join},
            {"daemon_in_a_scheduler", leaving_daemon_in_a_scheduler},
            {"daemon_in_an_event", leaving_daemon_in_an_event},
            {"daemon_in_an_event_of_a_static", leaving_daemon_in_an_event_of_a_static_scheduler},
            {"daemon_in_a_delay_function", leaving_daemon_in_a_delay_function},
            {"exit_in_an_event", by_exit_in_an_event},
            {"starting_at_exit", starting_at_exit},
            {"starting_after_exit", starting_after_exit},
            {"joining_a_daemon_after_exit", joining_a_daemon_after_exit},
            {"joining_a_bare_daemon_after_exit", joining_a_bare_daemon_after_exit},
            {"scope_of_a_daemon", leaving_the_scope_of_a_daemon_after_exit},
            {"static_destructors", using_weft_in_static_destructors},
        },
        argc, argv);
}
