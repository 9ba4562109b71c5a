// What a child of fork() finds of the locks and threads of its parent.

#include <gtest/gtest.h>

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <latch>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <weft/detail/low_lock.hpp>
#include <weft/detail/wait_list.hpp>
#include <weft/manual_clock.hpp>
#include <weft/threading/barrier.hpp>
#include <weft/threading/condition.hpp>
#include <weft/threading/event.hpp>
#include <weft/threading/functions.hpp>
#include <weft/threading/lock.hpp>
#include <weft/threading/semaphore.hpp>
#include <weft/threading/thread.hpp>

#include "support/budget.hpp"
#include "support/child.hpp"

namespace {

using namespace weft;
using detail::LowLock;
using detail::Waiter;
using detail::WaitList;

constexpr int kGood = 42;

/// Held by a thread that the child does not have, when `is_watching`.
constinit LowLock lock_of_the_early;
constinit std::atomic<bool> is_watching{false};
constinit std::atomic<bool> was_lock_free{false};

/// A user's child handler, registered by a static object of the program.
const int registered = pthread_atfork(nullptr, nullptr, [] {
    if (!is_watching) return;
    lock_of_the_early.lock();
    lock_of_the_early.unlock();
    was_lock_free = true;
});

/// The exit code of a child that runs `check`; -1 when it hangs or is killed.
int in_child(const std::function<bool()>& check) {
    const pid_t child = fork();
    if (child == 0) _exit(check() ? kGood : 1);
    const auto status = test::wait_for_process(child, std::chrono::seconds(20) * test::slowness());
    return status && WIFEXITED(*status) ? WEXITSTATUS(*status) : -1;
}

/// A thread that does something, and then stays where it is until the test ends.
class Bystander {
public:
    explicit Bystander(const std::function<void()>& act)
        : thread_([this, act] {
              act();
              is_there_.count_down();
              may_end_.wait();
          }) {
        is_there_.wait();
    }
    ~Bystander() { may_end_.count_down(); }

private:
    std::latch is_there_{1};
    std::latch may_end_{1};
    std::jthread thread_;
};

TEST(LowLockAfterFork, IsFreeWhenAThreadOfTheParentHeldIt) {
    LowLock lock;
    {
        const Bystander holder([&] { lock.lock(); });
        EXPECT_EQ(in_child([&] {
                      lock.lock();
                      lock.unlock();
                      lock.lock();
                      return true;
                  }),
                  kGood);
    }
    lock.unlock();
    lock.lock();
    lock.unlock();
}

TEST(WaitListAfterFork, HasNoWaiters) {
    WaitList list;
    Waiter waiter;
    {
        const Bystander listed([&] { list.enter(waiter); });
        EXPECT_EQ(in_child([&] {
                      list.notify_all();
                      bool is_ready = false;
                      auto take = [&] { return std::exchange(is_ready, true); };
                      const bool has_waited = list.wait(take, {}) == detail::WaitEnd::notified;
                      return has_waited && list.is_empty();
                  }),
                  kGood);
        EXPECT_FALSE(list.is_empty());
    }
    EXPECT_TRUE(list.remove(waiter));
}

TEST(WaitListAfterFork, ServesTheChildsOwnThreads) {
    WaitList list;
    Waiter waiter;
    {
        const Bystander listed([&] { list.enter(waiter); });
        EXPECT_EQ(in_child([&] {
                      std::atomic<bool> is_ready{false};
                      std::thread waiting([&] {
                          auto take = [&] { return is_ready.load(); };
                          list.wait(take, {});
                      });
                      is_ready = true;
                      list.notify_all();
                      waiting.join();
                      return list.is_empty();
                  }),
                  kGood);
    }
    EXPECT_TRUE(list.remove(waiter));
}

std::atomic<pid_t> child_of_the_handler{-1};

/// A signal handler forks while its thread waits: the child goes on with a wait of which its own
/// lists know nothing.
TEST(WaitListAfterFork, SurvivesAForkByAHandlerOfAWaitingThread) {
    WaitList list;
    struct sigaction action{};
    struct sigaction before{};
    action.sa_handler = [](int) { child_of_the_handler = fork(); };
    sigaction(SIGUSR1, &action, &before);
    const auto wait_a_moment = [&] {
        auto never = [] { return false; };
        return list.wait(never, {.deadline = detail::Deadline::after(0.2)});
    };
    const pid_t parent = getpid();
    std::thread waiter([&] {
        const bool has_timed_out = wait_a_moment() == detail::WaitEnd::timed_out;
        if (getpid() == parent) return;
        Waiter own;
        list.enter(own);
        _exit(has_timed_out && list.notify(5) == 1 && own.is_notified() ? kGood : 1);
    });
    Waiter neighbour;
    while (list.is_empty()) std::this_thread::yield();
    list.enter(neighbour);
    pthread_kill(waiter.native_handle(), SIGUSR1);
    waiter.join();
    sigaction(SIGUSR1, &before, nullptr);
    list.remove(neighbour);
    ASSERT_GT(child_of_the_handler, 0);
    const auto status =
        test::wait_for_process(child_of_the_handler, std::chrono::seconds(20) * test::slowness());
    ASSERT_TRUE(status.has_value());
    EXPECT_EQ(WIFEXITED(*status) ? WEXITSTATUS(*status) : -1, kGood);
}

TEST(LockAfterFork, StaysLockedWhenItsHolderIsGone) {
    threading::Lock lock;
    const Bystander holder([&] { lock.acquire(); });
    EXPECT_EQ(in_child([&] {
                  const bool was_locked = lock.locked() && !lock.acquire(false);
                  lock.release();
                  return was_locked && lock.acquire(false);
              }),
              kGood);
    EXPECT_TRUE(lock.locked());
}

TEST(LockAfterFork, WakesNobodyOfTheParent) {
    threading::Lock lock;
    lock.acquire();
    std::jthread waiting([&] { threading::Guard held(lock); });
    // Listed or not yet: the child must get along with both.
    for (int round = 0; round < 20; ++round) {
        EXPECT_EQ(in_child([&] {
                      lock.release();
                      for (int i = 0; i < 3; ++i) {
                          lock.acquire();
                          lock.release();
                      }
                      return !lock.locked();
                  }),
                  kGood);
    }
    lock.release();
}

TEST(RLockAfterFork, IsStillOwnedByTheThreadThatForked) {
    threading::RLock lock;
    lock.acquire();
    lock.acquire();
    EXPECT_EQ(in_child([&] {
                  lock.release();
                  const bool is_still_locked = lock.locked();
                  lock.release();
                  return is_still_locked && !lock.locked();
              }),
              kGood);
    lock.release();
    lock.release();
}

TEST(RLockAfterFork, StaysLockedWhenItsOwnerIsGone) {
    threading::RLock lock;
    const Bystander owner([&] { lock.acquire(); });
    EXPECT_EQ(in_child([&] {
                  try {
                      lock.release();
                      return false;
                  } catch (const std::runtime_error&) {
                      return !lock.acquire(false);
                  }
              }),
              kGood);
}

TEST(RLockAfterFork, IsNotOwnedByAThreadWithTheIdentifierOfAVanishedOne) {
    threading::RLock lock;
    const Bystander owner([&] { lock.acquire(); });
    // The system gives the vanished thread's stack, and with it its identifier, to new threads.
    EXPECT_EQ(in_child([&] {
                  for (int i = 0; i < 4; ++i) {
                      bool is_taken = false;
                      std::thread([&] { is_taken = lock.acquire(false); }).join();
                      if (is_taken) return false;
                  }
                  return true;
              }),
              kGood);
}

TEST(ConditionAfterFork, HasNoWaiters) {
    threading::Lock lock;
    threading::Condition condition(lock);
    lock.acquire();
    bool is_ready = false;
    std::latch is_waiting(1);
    std::jthread waiting([&] {
        threading::Guard held(lock);
        is_waiting.count_down();
        condition.wait_for([&] { return is_ready; });
    });
    lock.release();
    is_waiting.wait();
    lock.acquire();  // the thread gave the lock away, so it waits
    EXPECT_EQ(in_child([&] {
                  condition.notify();
                  std::atomic<bool> was_notified{false};
                  std::thread another([&] {
                      threading::Guard held(lock);
                      was_notified = condition.wait_for([&] { return is_ready; });
                  });
                  is_ready = true;
                  condition.notify_all();
                  lock.release();
                  another.join();
                  return was_notified.load();
              }),
              kGood);
    is_ready = true;
    condition.notify_all();
    lock.release();
}

/// A thread that waits, with a limit that never comes, until `release` lets it go.
class Waiting {
public:
    Waiting(const std::function<void()>& wait, const std::function<void()>& release)
        : release_(release), thread_(wait) {
        clock_.wait_for_sleepers(1);
    }
    ~Waiting() { release_(); }

private:
    ManualClock clock_;
    ManualClock::Installation installed_ = clock_.install();
    std::function<void()> release_;
    std::jthread thread_;
};

TEST(SemaphoreAfterFork, ServesTheChildsOwnThreads) {
    threading::Semaphore semaphore(0);
    const Waiting waiting([&] { semaphore.acquire(true, std::chrono::hours(1)); },
                          [&] { semaphore.release(); });
    EXPECT_EQ(in_child([&] {
                  semaphore.release(2);
                  if (!semaphore.acquire(false) || !semaphore.acquire(false)) return false;
                  std::vector<std::thread> threads;
                  std::atomic<int> gone_on{0};
                  for (int i = 0; i < 3; ++i) {
                      threads.emplace_back([&] { gone_on += semaphore.acquire() ? 1 : 0; });
                  }
                  for (int i = 0; i < 3; ++i) semaphore.release();
                  for (auto& each : threads) each.join();
                  return gone_on == 3 && !semaphore.acquire(false);
              }),
              kGood);
    EXPECT_FALSE(semaphore.acquire(false));
}

/// Forks while threads of the parent are on their way to a permit, or back to the list.
TEST(SemaphoreAfterFork, ForgetsWhoWasOnHisWayInTheParent) {
    threading::BoundedSemaphore semaphore(1);
    std::atomic<bool> may_end{false};
    std::vector<std::jthread> busy;
    for (int i = 0; i < 3; ++i) {
        busy.emplace_back([&] {
            while (!may_end) threading::Guard held(semaphore);
        });
    }
    for (int round = 0; round < 50; ++round) {
        EXPECT_EQ(in_child([&] {
                      // A permit that a vanished thread has is gone, as a lock that it holds is.
                      (void)semaphore.acquire(false);
                      semaphore.release();
                      std::vector<std::thread> threads;
                      std::atomic<int> turns{0};
                      for (int i = 0; i < 3; ++i) {
                          threads.emplace_back([&] {
                              for (int n = 0; n < 20; ++n) {
                                  threading::Guard held(semaphore);
                                  ++turns;
                              }
                          });
                      }
                      for (auto& each : threads) each.join();
                      return turns == 60 && semaphore.acquire(false) && !semaphore.acquire(false);
                  }),
                  kGood);
    }
    may_end = true;
}

TEST(EventAfterFork, HasNoWaiters) {
    threading::Event event;
    const Waiting waiting([&] { event.wait(std::chrono::hours(1)); }, [&] { event.set(); });
    EXPECT_EQ(in_child([&] {
                  std::atomic<bool> was_set{false};
                  std::thread own([&] { was_set = event.wait(); });
                  event.set();
                  own.join();
                  return was_set && event.is_set();
              }),
              kGood);
    EXPECT_FALSE(event.is_set());
}

TEST(BarrierAfterFork, HasNobodyWaitingAndServesTheChildsOwnThreads) {
    threading::Barrier barrier(2);
    const Waiting waiting([&] { barrier.wait(std::chrono::hours(1)); }, [&] { barrier.wait(); });
    EXPECT_EQ(barrier.n_waiting(), 1);
    EXPECT_EQ(in_child([&] {
                  if (barrier.n_waiting() != 0) return false;
                  int number = -1;
                  std::thread own([&] { number = barrier.wait(); });
                  const int mine = barrier.wait();
                  own.join();
                  return number + mine == 1 && !barrier.broken();
              }),
              kGood);
    EXPECT_EQ(barrier.n_waiting(), 1);
}

TEST(BarrierAfterFork, StaysBroken) {
    threading::Barrier barrier(2);
    barrier.abort();
    EXPECT_EQ(in_child([&] {
                  const bool was_broken = barrier.broken();
                  barrier.reset();
                  return was_broken && !barrier.broken();
              }),
              kGood);
    EXPECT_TRUE(barrier.broken());
}

TEST(BarrierAfterFork, EndsTheRoundWhoseActionHasForked) {
    int code = 0;
    threading::Barrier barrier(1, [&] {
        code = in_child([&] {
            // In the child: the action goes on below, and others have not arrived.
            return barrier.n_waiting() == 0;
        });
    });
    EXPECT_EQ(barrier.wait(), 0);
    EXPECT_EQ(code, kGood);
    EXPECT_FALSE(barrier.broken());
    // Also when another thread of the child is the first to touch the barrier.
    pid_t child = -1;
    threading::Barrier* itself = nullptr;
    threading::Barrier forking(1, [&] {
        child = fork();
        if (child == 0) std::thread([&] { (void)itself->n_waiting(); }).join();
    });
    itself = &forking;
    const int number = forking.wait();
    if (child == 0) {
        _exit(number == 0 && !forking.broken() && forking.n_waiting() == 0 ? kGood : 1);
    }
    const auto status = test::wait_for_process(child, std::chrono::seconds(20) * test::slowness());
    ASSERT_TRUE(status.has_value());
    EXPECT_EQ(WIFEXITED(*status) ? WEXITSTATUS(*status) : -1, kGood);
}

TEST(BarrierAfterFork, ForgetsAnActionOfAThreadThatIsGone) {
    std::latch begun(1);
    std::latch may_end(1);
    bool is_first = true;
    threading::Barrier barrier(1, [&] {
        if (!std::exchange(is_first, false)) return;
        begun.count_down();
        may_end.wait();
    });
    std::jthread actor([&] { barrier.wait(); });
    begun.wait();
    EXPECT_EQ(in_child([&] { return barrier.wait() == 0 && !barrier.broken(); }), kGood);
    may_end.count_down();
}

TEST(ThreadsAfterFork, AreStoppedButForTheOneThatForked) {
    threading::Lock gate;
    gate.acquire();
    std::vector<threading::Thread> threads;
    for (int i = 0; i < 3; ++i) {
        threads.emplace_back([&] { threading::Guard held(gate); });
        threads.back().start();
    }
    EXPECT_EQ(in_child([&] {
                  for (const threading::Thread& each : threads) {
                      each.join();
                      if (each.is_alive() || !each.ident()) return false;
                  }
                  return threading::active_count() == 1 && threading::enumerate().size() == 1;
              }),
              kGood);
    gate.release();
    for (const threading::Thread& each : threads) each.join();
}

TEST(ThreadsAfterFork, OfTheParentThatHadEndedCanBeJoinedAndDropped) {
    auto ended = std::make_unique<threading::Thread>([] {});
    ended->start();
    while (ended->is_alive()) std::this_thread::yield();
    EXPECT_EQ(in_child([&] {
                  ended->join();
                  ended.reset();
                  return true;
              }),
              kGood);
    ended->join();
}

TEST(ThreadsAfterFork, CanBeStartedInTheChildWhileTheParentStartsOthers) {
    std::atomic<bool> may_end{false};
    std::vector<std::jthread> busy;
    for (int i = 0; i < 2; ++i) {
        busy.emplace_back([&] {
            while (!may_end) {
                threading::Thread thread([] { (void)threading::active_count(); });
                thread.start();
                thread.set_name("renamed while others fork");
                (void)threading::enumerate();
                thread.join();
            }
        });
    }
    for (int round = 0; round < 50; ++round) {
        EXPECT_EQ(in_child([] {
                      int calls = 0;
                      threading::Thread thread([&calls] { ++calls; });
                      thread.start();
                      thread.join();
                      const bool is_main = threading::current_thread() == threading::main_thread();
                      return calls == 1 && is_main && threading::active_count() == 1;
                  }),
                  kGood);
    }
    may_end = true;
}

TEST(LowLockAfterFork, IsFreeInChildHandlersThatStaticObjectsHaveRegistered) {
    ASSERT_EQ(registered, 0);
    const Bystander holder([] { lock_of_the_early.lock(); });
    is_watching = true;
    EXPECT_EQ(in_child([] { return was_lock_free.load(); }), kGood);
    is_watching = false;
}

}  // namespace
