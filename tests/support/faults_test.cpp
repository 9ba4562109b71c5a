#include "support/faults.hpp"

#include <gtest/gtest-spi.h>
#include <gtest/gtest.h>

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <new>
#include <optional>
#include <stdexcept>
#include <system_error>
#include <thread>
#include <vector>

#include <weft/_thread/lock.hpp>
#include <weft/detail/wait_list.hpp>
#include <weft/queue.hpp>
#include <weft/threading/barrier.hpp>
#include <weft/threading/condition.hpp>
#include <weft/threading/event.hpp>
#include <weft/threading/semaphore.hpp>
#include <weft/threading/timer.hpp>

namespace {

namespace faults = weft::test::faults;
using faults::for_every_allocation;
using faults::for_every_system_call;

/// Keeps the compiler from leaving the allocation out.
void keep(void* memory) {
    asm volatile("" : : "r"(memory) : "memory");
}

struct alignas(64) Aligned {
    char bytes[64];
};

TEST(Faults, FailEachFormOfNewOnce) {
    const std::size_t failed = for_every_allocation([] {
        const auto one = std::make_unique<int>(1);
        const auto many = std::make_unique<int[]>(10);
        const auto aligned = std::make_unique<Aligned>();
        const auto many_aligned = std::make_unique<Aligned[]>(3);
        keep(one.get());
        keep(many.get());
        keep(aligned.get());
        keep(many_aligned.get());
    });
    EXPECT_EQ(failed, 4U);
}

TEST(Faults, FailNewThatDoesNotThrow) {
    int nulls = 0;
    const std::size_t failed = for_every_allocation([&] {
        const std::unique_ptr<int> one(new (std::nothrow) int(1));
        const std::unique_ptr<Aligned[]> many(new (std::nothrow) Aligned[2]);
        keep(one.get());
        keep(many.get());
        nulls += (one == nullptr ? 1 : 0) + (many == nullptr ? 1 : 0);
    });
    EXPECT_EQ(failed, 2U);
    EXPECT_EQ(nulls, 2);
}

TEST(Faults, FailMallocAndItsLike) {
    int nulls = 0;
    const std::size_t failed = for_every_allocation([&] {
        void* const first = std::malloc(10);
        void* const second = std::calloc(2, 10);
        void* const third = std::aligned_alloc(64, 64);
        for (void* const each : {first, second, third}) {
            nulls += each == nullptr ? 1 : 0;
            keep(each);
            std::free(each);
        }
    });
    EXPECT_EQ(failed, 3U);
    EXPECT_EQ(nulls, 3);
}

TEST(Faults, LeaveABodyWithoutAllocationsAlone) {
    int runs = 0;
    EXPECT_EQ(for_every_allocation([&] { ++runs; }), 0U);
    EXPECT_EQ(runs, 1);
}

TEST(Faults, CheckTheInvariantAfterEveryRun) {
    int checks = 0;
    for_every_allocation([] { keep(std::make_unique<int>(1).get()); }, {.invariant = [&] {
                             keep(std::make_unique<int>(2).get());  // nothing fails here
                             ++checks;
                         }});
    EXPECT_EQ(checks, 2);
}

TEST(Faults, MayGoOnFailing) {
    int successes = 0;
    const auto body = [&] {
        for (int i = 0; i < 3; ++i) {
            const std::unique_ptr<int> one(new (std::nothrow) int(1));
            keep(one.get());
            successes += one != nullptr ? 1 : 0;
        }
    };
    EXPECT_EQ(for_every_allocation(body), 3U);
    EXPECT_EQ(successes, 3 * 2 + 3);
    successes = 0;
    EXPECT_EQ(for_every_allocation(body, {.persistence = faults::Persistence::from_then_on}), 3U);
    EXPECT_EQ(successes, 0 + 1 + 2 + 3);
}

TEST(Faults, ConcernTheThreadsThatWereAskedFor) {
    const auto body = [] {
        const faults::Pause while_starting;
        std::thread([] {
            const std::unique_ptr<int> one(new (std::nothrow) int(1));
            keep(one.get());
        }).join();
    };
    EXPECT_EQ(for_every_allocation(body), 0U);
    EXPECT_EQ(for_every_allocation(body, {.threads = faults::Threads::all}), 1U);
}

TEST(Faults, DoNotExcuseOtherExceptions) {
    const auto body = [] {
        try {
            keep(std::make_unique<int>(1).get());
        } catch (const std::bad_alloc&) {
            throw std::logic_error("wrong type");
        }
    };
    EXPECT_NONFATAL_FAILURE(EXPECT_THROW(for_every_allocation(body), std::logic_error),
                            "something unexpected when allocation 1");
}

TEST(Faults, DoNotExcuseExceptionsWithoutAFailure) {
    EXPECT_NONFATAL_FAILURE(
        EXPECT_THROW(for_every_allocation([] { throw std::bad_alloc(); }), std::bad_alloc),
        "without a failure");
}

TEST(Faults, FailSystemCallsWithTheirUsualErrors) {
    std::vector<int> errors;
    errors.reserve(10);
    const std::size_t failed = for_every_system_call([&] {
        const int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
        if (fd < 0) {
            errors.push_back(errno);
            return;
        }
        if (write(fd, "x", 1) != 1) errors.push_back(errno);
        close(fd);
    });
    EXPECT_EQ(failed, 2U);
    EXPECT_EQ(errors, (std::vector<int>{EMFILE, EINTR}));
}

TEST(Faults, FailSystemCallsWithAChosenError) {
    int error = 0;
    const auto choose = [](const faults::Call& call) { return call.name == "write" ? ENOSPC : 0; };
    EXPECT_EQ(for_every_system_call(
                  [&] {
                      const int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
                      if (write(fd, "x", 1) != 1) error = errno;
                      close(fd);
                  },
                  {.error = choose}),
              1U);
    EXPECT_EQ(error, ENOSPC);
}

TEST(Faults, MayLetASystemErrorOut) {
    EXPECT_EQ(for_every_system_call([] {
                  std::array<int, 2> ends{};
                  if (pipe2(ends.data(), O_CLOEXEC) != 0) {
                      throw std::system_error(errno, std::generic_category(), "pipe2");
                  }
                  close(ends[0]);
                  close(ends[1]);
              }),
              1U);
}

// What exists of Weft -----------------------------------------------------------------------------

/// How a futex wait may end for no reason. Counts the waits, so that a body knows that its other
/// thread is about to sleep or asleep.
class FutexFaults : public testing::TestWithParam<int> {
protected:
    [[nodiscard]] faults::CallOptions options() {
        return {.threads = faults::Threads::all, .error = [this](const faults::Call& call) {
                    if (call.name != "futex_wait") return 0;
                    ++waits_;
                    return GetParam();
                }};
    }
    void forget_waits() { waits_ = 0; }
    void wait_for_a_wait() const {
        while (waits_ == 0) std::this_thread::yield();
    }

private:
    std::atomic<int> waits_{0};
};

TEST_P(FutexFaults, LoseNoWakeUpOfALock) {
    const std::size_t failed = for_every_system_call(
        [this] {
            forget_waits();
            weft::_thread::LockType lock;
            lock.acquire();
            std::thread waiter([&] {
                lock.acquire();
                lock.release();
            });
            wait_for_a_wait();
            lock.release();
            waiter.join();
            EXPECT_FALSE(lock.locked());
        },
        options());
    EXPECT_GE(failed, 1U);
}

TEST_P(FutexFaults, LoseNoWakeUpOfABusyLock) {
    for_every_system_call(
        [] {
            weft::_thread::LockType lock;
            int counter = 0;
            const auto count = [&] {
                for (int i = 0; i < 20; ++i) {
                    lock.acquire();
                    ++counter;
                    std::this_thread::yield();
                    lock.release();
                }
            };
            std::thread other(count);
            std::thread third(count);
            count();
            other.join();
            third.join();
            EXPECT_EQ(counter, 60);
        },
        options());
}

TEST_P(FutexFaults, LoseNoNotificationOfACondition) {
    const std::size_t failed = for_every_system_call(
        [this] {
            forget_waits();
            weft::threading::Condition changed;
            bool is_ready = false;
            std::thread waiter([&] {
                weft::threading::Guard held(changed);
                while (!is_ready) EXPECT_TRUE(changed.wait());
            });
            wait_for_a_wait();
            {
                weft::threading::Guard held(changed);
                is_ready = true;
                changed.notify();
            }
            waiter.join();
        },
        options());
    EXPECT_GE(failed, 1U);
}

TEST_P(FutexFaults, LoseNoPermitOfASemaphore) {
    const std::size_t failed = for_every_system_call(
        [this] {
            forget_waits();
            weft::threading::Semaphore semaphore(0);
            std::thread waiter([&] { EXPECT_TRUE(semaphore.acquire()); });
            std::thread other([&] { EXPECT_TRUE(semaphore.acquire()); });
            wait_for_a_wait();
            semaphore.release(2);
            waiter.join();
            other.join();
            EXPECT_FALSE(semaphore.acquire(false));
        },
        options());
    EXPECT_GE(failed, 1U);
}

TEST_P(FutexFaults, LoseNoEvent) {
    const std::size_t failed = for_every_system_call(
        [this] {
            forget_waits();
            weft::threading::Event event;
            std::thread waiter([&] { EXPECT_TRUE(event.wait()); });
            wait_for_a_wait();
            event.set();
            waiter.join();
        },
        options());
    EXPECT_GE(failed, 1U);
}

TEST_P(FutexFaults, LoseNobodyAtABarrier) {
    const std::size_t failed = for_every_system_call(
        [this] {
            forget_waits();
            weft::threading::Barrier barrier(2);
            std::thread waiter([&] { EXPECT_EQ(barrier.wait(), 0); });
            wait_for_a_wait();
            EXPECT_EQ(barrier.wait(), 1);
            waiter.join();
            EXPECT_FALSE(barrier.broken());
        },
        options());
    EXPECT_GE(failed, 1U);
}

TEST_P(FutexFaults, EndNoTimedWaitEarly) {
    using namespace std::chrono_literals;
    const std::size_t failed = for_every_system_call(
        [] {
            const auto start = std::chrono::steady_clock::now();
            weft::_thread::LockType lock;
            lock.acquire();
            // Longer than the wait tries before it sleeps, also on a busy machine.
            EXPECT_FALSE(lock.acquire(true, 300ms));
            EXPECT_GE(std::chrono::steady_clock::now() - start, 300ms);
        },
        options());
    EXPECT_GE(failed, 1U);
}

INSTANTIATE_TEST_SUITE_P(Every, FutexFaults, testing::Values(EINTR, EAGAIN, ENOSYS));

TEST(AllocationFaults, LocksAndConditionsAllocateNothing) {
    EXPECT_EQ(for_every_allocation([] {
                  weft::_thread::LockType lock;
                  lock.acquire();
                  EXPECT_FALSE(lock.acquire(true, 0.001));
                  lock.release();
                  weft::threading::Condition changed;
                  weft::threading::Guard held(changed);
                  EXPECT_FALSE(changed.wait(0.001));
              }),
              0U);
}

TEST(AllocationFaults, SemaphoresEventsAndBarriersAllocateNothing) {
    EXPECT_EQ(for_every_allocation([] {
                  weft::threading::Semaphore semaphore;
                  semaphore.acquire();
                  EXPECT_FALSE(semaphore.acquire(true, 0.001));
                  semaphore.release(2);
                  weft::threading::Event event;
                  EXPECT_FALSE(event.wait(0.001));
                  event.set();
                  EXPECT_TRUE(event.wait());
                  weft::threading::Barrier barrier(1);
                  EXPECT_EQ(barrier.wait(), 0);
              }),
              0U);
}

TEST(AllocationFaults, ATimerThatCannotBeMadeIsNot) {
    std::atomic<int> rings{0};
    int made = 0;
    const std::size_t failed = for_every_allocation([&] {
        weft::threading::Timer timer(0, [&] { ++rings; });
        ++made;
        timer.start();
        timer.join();
    });
    EXPECT_GE(failed, 2U);
    EXPECT_EQ(rings, 1);
    EXPECT_GE(made, 1);
}

TEST(SystemCallFaults, ATimerWhoseThreadIsRefusedMayBeStartedAgain) {
    std::atomic<int> rings{0};
    int refused = 0;
    for_every_system_call(
        [&] {
            weft::threading::Timer timer(0, [&] { ++rings; });
            try {
                timer.start();
            } catch (const std::system_error& error) {
                EXPECT_EQ(error.code().value(), EAGAIN);
                ++refused;
                timer.start();
            }
            timer.join();
        },
        {.error = [](const faults::Call& call) {
            return call.name == "pthread_create" ? EAGAIN : 0;
        }});
    EXPECT_EQ(refused, 1);
    EXPECT_EQ(rings, 2);
}

TEST(AllocationFaults, AQueueThatCannotGrowIsAsItWas) {
    std::optional<weft::queue::SimpleQueue<int>> queue;
    std::size_t before = 0;
    const std::size_t failed = for_every_allocation(
        [&] {
            queue.emplace();
            before = 0;
            for (int i = 0; i < 600; ++i) {
                queue->put(i);
                ++before;
            }
        },
        {.invariant = [&] {
            EXPECT_EQ(queue.has_value() ? static_cast<std::size_t>(queue->qsize()) : 0, before);
        }});
    EXPECT_GE(failed, 3U);
}

}  // namespace
