#include <weft/threading/functions.hpp>

#include <gtest/gtest.h>

#include <pthread.h>

#include <algorithm>
#include <array>
#include <latch>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <type_traits>
#include <vector>

#include <unistd.h>

#include <weft/threading/lock.hpp>

namespace {

using namespace weft::threading;

bool is_listed(const Thread& thread) {
    const std::vector<Thread> all = enumerate();
    return std::find(all.begin(), all.end(), thread) != all.end();
}

/// The size of the calling thread's stack, as the system knows it.
std::size_t own_stack_size() {
    pthread_attr_t attributes;
    if (pthread_getattr_np(pthread_self(), &attributes) != 0) return 0;
    std::size_t size = 0;
    void* address = nullptr;
    pthread_attr_getstack(&attributes, &address, &size);
    pthread_attr_destroy(&attributes);
    return size;
}

TEST(CurrentThread, IsTheMainThreadInMain) {
    EXPECT_EQ(current_thread(), main_thread());
    EXPECT_EQ(current_thread().name(), "MainThread");
    EXPECT_EQ(current_thread().ident(), get_ident());
    EXPECT_EQ(current_thread().native_id(), static_cast<std::uint64_t>(getpid()));
    EXPECT_FALSE(current_thread().daemon());
    EXPECT_TRUE(current_thread().is_alive());
    EXPECT_THROW(current_thread().set_daemon(true), std::runtime_error);
}

TEST(CurrentThread, IsTheHandleThatStartedIt) {
    std::optional<Thread> inside;
    const Joining joining{Thread([&inside] { inside = current_thread(); })};
    joining->join();
    EXPECT_EQ(inside, joining.thread());
}

TEST(MainThread, IsTheSameSeenFromAnyThread) {
    std::optional<Thread> seen;
    std::jthread([&seen] { seen = main_thread(); }).join();
    EXPECT_EQ(seen, main_thread());
}

TEST(DummyThread, StandsForAThreadOfOthersUntilItEnds) {
    std::optional<Thread> dummy;
    std::latch met(1);
    std::latch may_end(1);
    std::jthread foreign([&] {
        dummy = current_thread();
        EXPECT_EQ(dummy, current_thread());
        met.count_down();
        may_end.wait();
    });
    met.wait();
    EXPECT_TRUE(dummy->name().starts_with("Dummy-"));
    EXPECT_TRUE(dummy->daemon());
    EXPECT_TRUE(dummy->is_alive());
    EXPECT_TRUE(is_listed(*dummy));
    EXPECT_THROW(dummy->join(), std::runtime_error);
    EXPECT_THROW(dummy->start(), std::runtime_error);
    EXPECT_TRUE(dummy->repr().starts_with("<_DummyThread(Dummy-")) << dummy->repr();
    may_end.count_down();
    foreign.join();
    EXPECT_FALSE(dummy->is_alive());
    EXPECT_FALSE(is_listed(*dummy));
}

TEST(DummyThread, ThatIsGoneIsNotTheThreadThatGotItsIdentifier) {
    std::optional<Thread> gone;
    std::thread([&] { gone = current_thread(); }).join();
    std::string name_seen;
    std::thread([&] {
        if (current_thread().ident() != gone->ident()) return;
        pthread_setname_np(pthread_self(), "before");
        gone->set_name("of the dead");
        std::array<char, 16> name{};
        pthread_getname_np(pthread_self(), name.data(), name.size());
        name_seen = name.data();
    }).join();
    if (name_seen.empty()) GTEST_SKIP() << "the system did not use the identifier again";
    EXPECT_EQ(name_seen, "before");
}

TEST(DummyThread, OfAnEndingThreadIsNotListedForEver) {
    static std::optional<Thread> late;
    struct UsesWeftLate {
        ~UsesWeftLate() { late = current_thread(); }
    };
    const std::size_t before = active_count();
    std::jthread([] {
        thread_local UsesWeftLate late_user;
        (void)late_user;
    }).join();
    EXPECT_TRUE(late->name().starts_with("Dummy-"));
    EXPECT_EQ(active_count(), before);
    late.reset();
}

TEST(Enumerate, ListsTheMainThreadFirstAndAllThatRun) {
    Lock gate;
    gate.acquire();
    std::vector<Thread> threads;
    for (int i = 0; i < 40; ++i) {
        threads.emplace_back(ThreadOptions{.daemon = i % 2 == 0},
                             [&gate] { const Guard held(gate); });
    }
    const Thread unstarted;
    for (Thread& each : threads) each.start();
    const std::vector<Thread> all = enumerate();
    EXPECT_EQ(all.front(), main_thread());
    EXPECT_EQ(all.size(), threads.size() + 1);
    EXPECT_EQ(active_count(), all.size());
    EXPECT_TRUE(std::equal(threads.begin(), threads.end(), all.begin() + 1));
    gate.release();
    for (const Thread& each : threads) {
        each.join();
        EXPECT_FALSE(is_listed(each));
    }
    EXPECT_EQ(active_count(), 1U);
}

TEST(ActiveCount, IsTheLengthOfEnumerateOnAThreadThatWasJustStarted) {
    for (int i = 0; i < 200; ++i) {
        const Joining joining{Thread([] { EXPECT_EQ(active_count(), enumerate().size()); })};
        joining->join();
        EXPECT_EQ(active_count(), 1U);
    }
}

TEST(GetIdent, IsNotZeroAndItsOwnInEachLivingThread) {
    std::set<std::uint64_t> idents{get_ident()};
    std::set<std::uint64_t> native_ids{get_native_id()};
    EXPECT_FALSE(idents.contains(0));
    std::jthread([&] {
        idents.insert(get_ident());
        native_ids.insert(get_native_id());
    }).join();
    EXPECT_EQ(idents.size(), 2U);
    EXPECT_EQ(native_ids.size(), 2U);
}

TEST(StackSize, IsTheSystemsDefaultUntilSet) {
    EXPECT_EQ(stack_size(), 0U);
}

TEST(StackSize, AppliesToThreadsStartedLater) {
    for (const std::size_t size : {std::size_t{256} * 1024, std::size_t{1024} * 1024}) {
        EXPECT_EQ(stack_size(size), 0U);
        EXPECT_EQ(stack_size(), size);
        std::size_t seen = 0;
        {
            const Joining joining{Thread([&seen] { seen = own_stack_size(); })};
        }
        EXPECT_EQ(stack_size(0), size);
        EXPECT_GE(seen, size / 2);
        EXPECT_LE(seen, size + size / 2);
    }
    EXPECT_EQ(stack_size(), 0U);
}

TEST(StackSize, RefusesTooSmallOnesAndChangesNothing) {
    stack_size(256 * 1024);
    EXPECT_THROW(stack_size(1), std::invalid_argument);
    EXPECT_THROW(stack_size(32 * 1024 - 1), std::invalid_argument);
    EXPECT_EQ(stack_size(), 256U * 1024);
    stack_size(0);
}

TEST(StackSize, OfOneThreadIsAnOption) {
    // Larger than any other: the system may give a thread the larger stack of one that has ended.
    for (const std::size_t size : {std::size_t{16} << 20, std::size_t{32} << 20}) {
        std::size_t seen = 0;
        const Thread thread({.stack_size = size}, [&seen] { seen = own_stack_size(); });
        {
            const Joining joining{thread};
        }
        EXPECT_GE(seen, size / 4 * 3);
    }
}

TEST(StackSize, OfOneThreadIsRefusedWhereTheThreadIsMade) {
    EXPECT_THROW(Thread({.stack_size = 1}), std::invalid_argument);
    EXPECT_THROW(Thread({.stack_size = 32 * 1024 - 1}, [] {}), std::invalid_argument);
    // The system's own least size is more than Weft's on some processors, as on aarch64.
    const auto systems = static_cast<std::size_t>(sysconf(_SC_THREAD_STACK_MIN));
    EXPECT_NO_THROW(Thread({.stack_size = std::max<std::size_t>(32 * 1024, systems)}));
}

TEST(ThreadError, IsTheRuntimeError) {
    EXPECT_TRUE((std::is_same_v<ThreadError, std::runtime_error>));
}

TEST(TimeoutMax, IsAcceptedByAWait) {
    Lock lock;
    EXPECT_TRUE(lock.acquire(true, TIMEOUT_MAX));
    EXPECT_THROW((void)lock.acquire(true, TIMEOUT_MAX * 2), std::overflow_error);
}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
TEST(OldNames, MeanTheNewOnes) {
    EXPECT_EQ(currentThread(), current_thread());
    EXPECT_EQ(activeCount(), active_count());
}
#pragma GCC diagnostic pop

}  // namespace
