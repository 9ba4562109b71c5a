#include "os/exit_lock.hpp"

#include <gtest/gtest.h>

#include <pthread.h>
#include <sys/syscall.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <future>
#include <memory>
#include <string>
#include <thread>

#include "os/futex.hpp"
#include "os/posix/thread.hpp"
#include "support/budget.hpp"

namespace {

using weft::os::native_thread_id;
using weft::os::waits_for_lock_of_this_thread;

struct CloseStream {
    void operator()(FILE* stream) const noexcept { fclose(stream); }
};
using Stream = std::unique_ptr<FILE, CloseStream>;

/// A thread that begins with telling the kernel's number of it.
class Numbered {
public:
    template <class Body>
    explicit Numbered(Body body)
        : thread_([this, body] {
              id_.set_value(native_thread_id());
              body();
          }) {}
    std::uint64_t id() { return known_.get(); }

private:
    std::promise<std::uint64_t> id_;
    std::shared_future<std::uint64_t> known_ = id_.get_future();
    std::jthread thread_;
};

/// Looks until the condition is true. False when half of a case's time is over.
template <class Condition>
bool comes_true(Condition condition) {
    const auto end = std::chrono::steady_clock::now() + weft::test::case_budget() / 2;
    while (!condition()) {
        if (std::chrono::steady_clock::now() > end) return false;
        std::this_thread::yield();
    }
    return true;
}

bool comes_to_be_held_back(std::uint64_t id) {
    return comes_true([id] { return waits_for_lock_of_this_thread(id); });
}

/// Until the thread sleeps in a wait for a futex.
bool comes_to_sleep(std::uint64_t id) {
    return comes_true([id] {
        std::ifstream file("/proc/self/task/" + std::to_string(id) + "/syscall");
        long call = -1;
        return file >> call && call == SYS_futex;
    });
}

TEST(ExitLock, AThreadThatWaitsForAStreamOfThisOneIsHeldBack) {
    const Stream stream(std::tmpfile());
    flockfile(stream.get());
    Numbered writer([&] { std::fputc('x', stream.get()); });
    EXPECT_TRUE(comes_to_be_held_back(writer.id()));
    funlockfile(stream.get());
}

TEST(ExitLock, AThreadThatWaitsForAnotherOneIsNot) {
    const Stream stream(std::tmpfile());
    flockfile(stream.get());
    Numbered writer([&] { std::fputc('x', stream.get()); });
    const std::uint64_t id = writer.id();
    EXPECT_TRUE(comes_to_be_held_back(id));
    EXPECT_FALSE(
        std::async(std::launch::async, [id] { return waits_for_lock_of_this_thread(id); }).get());
    funlockfile(stream.get());
}

/// As the C library writes it. Newer ones do not count the first level of a stream's lock.
struct Lock {
    weft::detail::FutexWord futex{2};
    int count = 0;
    pthread_t owner = pthread_self();

    void wait() { weft::os::futex_wait(futex, 2, weft::os::kNoDeadline); }
    void release() {
        futex.store(0);
        weft::os::futex_wake(futex, 1);
    }
};

TEST(ExitLock, AThreadIsHeldBackWhateverTheLockCounts) {
    for (const int count : {0, 1, 2}) {
        Lock lock{.count = count};
        Numbered waiting([&lock] { lock.wait(); });
        EXPECT_TRUE(comes_to_be_held_back(waiting.id())) << count;
        lock.release();
    }
}

TEST(ExitLock, AThreadThatSleepsOnAnythingElseIsNot) {
    Lock nobodys{.count = 1, .owner = pthread_t()};
    Numbered sleeper([&nobodys] { nobodys.wait(); });
    ASSERT_TRUE(comes_to_sleep(sleeper.id()));
    EXPECT_FALSE(waits_for_lock_of_this_thread(sleeper.id()));
    nobodys.release();
}

TEST(ExitLock, AThreadThatIsGoneIsNot) {
    std::uint64_t id = 0;
    std::thread([&id] { id = native_thread_id(); }).join();
    EXPECT_FALSE(waits_for_lock_of_this_thread(id));
}

}  // namespace
