// Threads that the system refuses, and whatever else can fail on the way to a running one.

#include <gtest/gtest.h>

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <functional>
#include <memory>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

#include <weft/_dummy_thread.hpp>
#include <weft/_thread/threads.hpp>
#include <weft/errors.hpp>
#include <weft/threading/functions.hpp>
#include <weft/threading/local.hpp>
#include <weft/threading/thread.hpp>

#include "os/tasks.hpp"
#include "support/faults.hpp"
#include "support/limits.hpp"
#include "support/standard_error.hpp"

namespace {

namespace faults = weft::test::faults;
using namespace weft::threading;

/// Leaves no process to start for the user, as long as it lives.
class NoMoreProcesses {
public:
    NoMoreProcesses() {
        getrlimit(RLIMIT_NPROC, &before_);
        rlimit none = before_;
        none.rlim_cur = 1;
        setrlimit(RLIMIT_NPROC, &none);
    }
    ~NoMoreProcesses() { setrlimit(RLIMIT_NPROC, &before_); }
    NoMoreProcesses(const NoMoreProcesses&) = delete;
    NoMoreProcesses& operator=(const NoMoreProcesses&) = delete;

private:
    rlimit before_{};
};

int error_of(const std::function<void()>& start) {
    try {
        start();
    } catch (const std::system_error& error) {
        EXPECT_NE(std::string(error.what()).find("pthread_create"), std::string::npos)
            << error.what();
        return error.code().value();
    }
    return 0;
}

TEST(ThreadsExhausted, StartThrowsLeavesNoTraceAndWorksLater) {
    const auto outcome = weft::test::run_as_unused_uid([] {
        int runs = 0;
        Thread thread([&runs] { ++runs; });
        {
            const NoMoreProcesses limit;
            EXPECT_EQ(error_of([&] { thread.start(); }), EAGAIN);
            EXPECT_EQ(error_of([&] { thread.start(); }), EAGAIN);
        }
        EXPECT_FALSE(thread.is_alive());
        EXPECT_FALSE(thread.ident().has_value());
        EXPECT_FALSE(thread.native_id().has_value());
        EXPECT_EQ(active_count(), 1U);
        EXPECT_EQ(enumerate().size(), 1U);
        EXPECT_THROW(thread.join(), std::runtime_error);
        thread.set_daemon(true);
        thread.start();
        thread.join();
        EXPECT_EQ(runs, 1);
    });
    EXPECT_TRUE(outcome.has_passed) << outcome.refusal;
}

TEST(ThreadsExhausted, StartNewThreadThrowsAndRunsNothing) {
    const auto outcome = weft::test::run_as_unused_uid([] {
        int runs = 0;
        {
            const NoMoreProcesses limit;
            EXPECT_EQ(error_of([&] { weft::_thread::start_new_thread([&] { ++runs; }); }), EAGAIN);
            weft::_thread::ThreadHandle handle;
            EXPECT_EQ(error_of([&] {
                          weft::_thread::start_joinable_thread([&] { ++runs; },
                                                               {.handle = &handle});
                      }),
                      EAGAIN);
            EXPECT_THROW(handle.join(), std::runtime_error);
            EXPECT_EQ(handle.ident(), 0U);
        }
        EXPECT_EQ(runs, 0);
        EXPECT_EQ(active_count(), 1U);
    });
    EXPECT_TRUE(outcome.has_passed) << outcome.refusal;
}

/// A thread is started and joined, or there is no trace of it.
void start_and_join() {
    static int runs = 0;
    const int before = runs;
    std::optional<Thread> thread;
    bool is_started = false;
    const auto check = [&] {
        const faults::Pause while_checking;
        EXPECT_EQ(active_count(), 1U);
        EXPECT_EQ(enumerate().size(), 1U);
        EXPECT_EQ(runs, before + (is_started ? 1 : 0));
        if (thread.has_value() && !is_started) {
            EXPECT_FALSE(thread->is_alive());
            // It can still be started.
            thread->start();
            thread->join();
            EXPECT_EQ(runs, before + 1);
        }
    };
    try {
        thread.emplace(ThreadOptions{.name = "a name that is too long to be kept in place",
                                     .stack_size = 128 * 1024},
                       [payload = std::make_unique<int>(1)] { runs += *payload; });
        thread->start();
        is_started = true;
        thread->join();
    } catch (...) {
        check();
        throw;
    }
    check();
}

TEST(StartFaults, LeaveNoTraceWhateverAllocationFails) {
    EXPECT_GE(faults::for_every_allocation(&start_and_join), 4U);
}

TEST(StartFaults, LeaveNoTraceWhateverAllocationFailsFromThenOn) {
    EXPECT_GE(faults::for_every_allocation(&start_and_join,
                                           {.persistence = faults::Persistence::from_then_on}),
              4U);
}

TEST(StartFaults, LeaveNoTraceWhateverSystemCallFails) {
    EXPECT_GE(faults::for_every_system_call(&start_and_join), 1U);
}

TEST(StartFaults, CarryEachErrorOfTheSystemsToTheCaller) {
    for (const int error : {EAGAIN, ENOMEM, EPERM, EINVAL}) {
        int seen = 0;
        const auto fail = [error](const faults::Call& call) {
            return call.name == "pthread_create" ? error : 0;
        };
        EXPECT_EQ(faults::for_every_system_call(
                      [&seen] {
                          try {
                              Thread thread([] {});
                              thread.start();
                              thread.join();
                          } catch (const std::system_error& refused) {
                              seen = refused.code().value();
                              throw;
                          }
                      },
                      {.error = fail}),
                  1U);
        EXPECT_EQ(seen, error);
    }
}

TEST(StartFaults, LeaveABareThreadUnstarted) {
    static int runs = 0;
    const auto body = [] {
        const int before = runs;
        bool is_started = false;
        try {
            weft::_thread::ThreadHandle handle =
                weft::_thread::start_joinable_thread([] { ++runs; });
            is_started = true;
            handle.join();
        } catch (...) {
            EXPECT_EQ(runs, before);
            EXPECT_FALSE(is_started);
            throw;
        }
        EXPECT_EQ(runs, before + 1);
    };
    EXPECT_GE(faults::for_every_allocation(body), 2U);
    EXPECT_GE(faults::for_every_system_call(body), 1U);
}

TEST(StartFaults, LoseNoInterruptOfADummyThread) {
    const weft::test::StandardError standard_error;
    int interrupts = 0;
    const std::size_t failed = faults::for_every_allocation(
        [&] {
            const auto fail_interrupted = [] {
                weft::_dummy_thread::interrupt_main();
                throw std::runtime_error("an exception that has to be described, at some length");
            };
            try {
                weft::_dummy_thread::start_new_thread(fail_interrupted);
            } catch (const weft::KeyboardInterrupt&) {
                ++interrupts;
            }
        },
        {.invariant = [] { weft::_dummy_thread::start_new_thread([] {}); }});
    EXPECT_GE(failed, 3U);
    // In all runs, but for those in which the function was not called.
    EXPECT_GE(interrupts, 2);
}

struct Value {
    explicit Value(int n) : number(n) { ++alive; }
    ~Value() { --alive; }
    Value(const Value&) = delete;
    Value& operator=(const Value&) = delete;
    int number;
    static inline int alive = 0;
};

TEST(LocalFaults, LeaveNoValueBehindAndTryAgain) {
    std::optional<local<Value>> value;
    EXPECT_GE(faults::for_every_allocation(
                  [&] {
                      value.emplace(7);
                      EXPECT_EQ(value->get().number, 7);
                  },
                  {.invariant =
                       [&] {
                           // After a failure the value is made at the next touch.
                           if (value.has_value()) {
                               EXPECT_EQ(value->get().number, 7);
                           }
                           value.reset();
                           EXPECT_EQ(Value::alive, 0);
                       }}),
              2U);
}

TEST(LocalFaults, KeepWhatAThreadHasWhenTheTableCannotGrow) {
    std::vector<std::unique_ptr<local<int>>> many;
    faults::for_every_allocation(
        [&] {
            for (int i = 0; i < 40; ++i) {
                many.push_back(std::make_unique<local<int>>(i));
                (void)many.back()->get();
            }
        },
        {.invariant = [&] {
            int i = 0;
            for (const auto& each : many) {
                if (each != nullptr) {
                    EXPECT_EQ(each->get(), i);
                }
                ++i;
            }
            many.clear();
        }});
}

// What the process asks of itself -----------------------------------------------------------------

TEST(TaskFaults, AreTakenForThreadsThatAreNotKnown) {
    // No list, or one that is short of a thread: never one thread too many.
    std::size_t most = 0;
    faults::for_every_system_call([&] {
        const auto tasks = weft::os::running_tasks();
        for (const std::uint64_t each : tasks)
            EXPECT_EQ(each, static_cast<std::uint64_t>(getpid()));
        most = tasks.size() > most ? tasks.size() : most;
    });
    EXPECT_EQ(most, 1U);
}

TEST(ForkFaults, LeaveTheParentAsItWas) {
    const std::size_t failed = faults::for_every_system_call([] {
        const pid_t child = fork();
        if (child == 0) _exit(active_count() == 1 ? 0 : 1);
        if (child < 0) {
            const faults::Pause while_checking;
            Thread thread([] {});
            thread.start();
            thread.join();
            EXPECT_EQ(active_count(), 1U);
            return;
        }
        int status = -1;
        while (waitpid(child, &status, 0) != child) {
        }
        EXPECT_EQ(status, 0);
    });
    EXPECT_GE(failed, 1U);
}

}  // namespace
