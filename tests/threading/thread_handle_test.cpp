// Names, flags and text forms of threads, and handles on them.

#include <weft/threading/thread.hpp>

#include <gtest/gtest.h>

#include <pthread.h>

#include <array>
#include <functional>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <unordered_set>

#include <weft/threading/functions.hpp>

namespace {

using namespace weft::threading;

std::string system_name() {
    std::array<char, 64> name{};
    pthread_getname_np(pthread_self(), name.data(), name.size());
    return name.data();
}

/// What `look` returns on a thread of that name.
template <class Look>
auto on_thread(ThreadOptions options, Look look) {
    std::invoke_result_t<Look> seen{};
    const Joining joining{Thread(std::move(options), [&] { seen = look(); })};
    joining->join();
    return seen;
}

int number_in(const std::string& name) {
    return std::stoi(name.substr(name.find('-') + 1));
}

TEST(ThreadName, CountsUpByDefault) {
    const Thread first([] {});
    const Thread named({.name = "named"}, [] {});
    const Thread second;
    EXPECT_TRUE(first.name().starts_with("Thread-"));
    EXPECT_EQ(number_in(second.name()), number_in(first.name()) + 1);
}

TEST(ThreadName, EmptyIsTreatedLikeNone) {
    const Thread thread({.name = ""}, [] {});
    EXPECT_TRUE(thread.name().starts_with("Thread-"));
}

TEST(ThreadName, CanBeChosenAndChanged) {
    Thread thread({.name = "first"});
    EXPECT_EQ(thread.name(), "first");
    thread.set_name("second");
    EXPECT_EQ(thread.name(), "second");
}

TEST(ThreadName, IsShownByTheSystem) {
    EXPECT_EQ(on_thread({.name = "shown"}, system_name), "shown");
}

TEST(ThreadName, IsCutForTheSystemAtAWholeCharacter) {
    EXPECT_EQ(on_thread({.name = "123456789012345"}, system_name), "123456789012345");
    EXPECT_EQ(on_thread({.name = "1234567890123456"}, system_name), "123456789012345");
    EXPECT_EQ(on_thread({.name = "12345678901234\u00e9"}, system_name), "12345678901234");
    EXPECT_EQ(on_thread({.name = "1234567890123\u20ac"}, system_name), "1234567890123");
    EXPECT_EQ(on_thread({.name = "123456789012\u20ac4"}, system_name), "123456789012\u20ac");
}

TEST(ThreadName, ChangesInTheSystemOnlyFromInside) {
    EXPECT_EQ(on_thread({.name = "before"},
                        [] {
                            current_thread().set_name("after");
                            return system_name();
                        }),
              "after");
    const std::string seen = on_thread({.name = "before"}, [] {
        const Thread inside = current_thread();
        const Joining other{Thread([&inside] { inside.set_name("after"); })};
        other->join();
        return system_name() + " " + inside.name();
    });
    EXPECT_EQ(seen, "before after");
}

TEST(ThreadDaemon, IsInheritedFromTheThreadThatMakesIt) {
    EXPECT_FALSE(Thread().daemon());
    EXPECT_TRUE(on_thread({.daemon = true}, [] { return Thread().daemon(); }));
    EXPECT_FALSE(on_thread({.daemon = false}, [] { return Thread().daemon(); }));
}

TEST(ThreadDaemon, CanBeChosenAndChangedBeforeStart) {
    Thread thread({.daemon = true}, [] {});
    EXPECT_TRUE(thread.daemon());
    thread.set_daemon(false);
    EXPECT_FALSE(thread.daemon());
    thread.start();
    EXPECT_THROW(thread.set_daemon(true), std::runtime_error);
    thread.join();
    EXPECT_THROW(thread.set_daemon(true), std::runtime_error);
    EXPECT_FALSE(thread.daemon());
}

TEST(ThreadStop, IsRequestedOnce) {
    const Thread thread;
    EXPECT_FALSE(thread.get_stop_token().stop_requested());
    EXPECT_TRUE(thread.request_stop());
    EXPECT_FALSE(thread.request_stop());
    EXPECT_TRUE(thread.get_stop_token().stop_requested());
    EXPECT_TRUE(thread.get_stop_source().stop_requested());
}

TEST(ThreadRepr, ShowsNameStateAndIdentifier) {
    Thread thread({.name = "t"}, [] {});
    EXPECT_EQ(thread.repr(), "<Thread(t, initial)>");
    thread.start();
    thread.join();
    EXPECT_EQ(thread.repr(), "<Thread(t, stopped " + std::to_string(*thread.ident()) + ")>");
    const std::string inside =
        on_thread({.name = "d", .daemon = true}, [] { return current_thread().repr(); });
    EXPECT_TRUE(inside.starts_with("<Thread(d, started daemon ")) << inside;
    EXPECT_EQ(main_thread().repr(),
              "<_MainThread(MainThread, started " + std::to_string(get_ident()) + ")>");
}

struct Counter : Runnable {
    void run() override {}
};

TEST(ThreadRepr, ShowsTheClassOfARunnable) {
    const auto counter = Thread::of<Counter>({.name = "c"});
    EXPECT_NE(counter.repr().find("Counter(c, initial)>"), std::string::npos) << counter.repr();
}

TEST(ThreadHandle, CopiesMeanTheSameThread) {
    int calls = 0;
    Thread thread([&calls] { ++calls; });
    Thread same = thread;
    EXPECT_EQ(same, thread);
    EXPECT_EQ(std::hash<Thread>()(same), std::hash<Thread>()(thread));
    same.set_name("both");
    EXPECT_EQ(thread.name(), "both");
    same.start();
    thread.join();
    EXPECT_EQ(calls, 1);
    EXPECT_NE(thread, Thread());
}

TEST(ThreadHandle, StaysWholeWhenMovedFrom) {
    Thread thread({.name = "kept"});
    const Thread moved = std::move(thread);
    EXPECT_EQ(thread, moved);  // NOLINT(bugprone-use-after-move): a handle has no empty state
    EXPECT_EQ(thread.name(), "kept");
}

TEST(ThreadHandle, CanBeAssigned) {
    Thread thread({.name = "a"});
    const Thread other({.name = "b"});
    thread = other;
    EXPECT_EQ(thread, other);
}

TEST(ThreadHandle, WorksAsAKey) {
    const Thread first;
    const Thread second;
    const std::unordered_set<Thread> threads{first, second, first};
    EXPECT_EQ(threads.size(), 2U);
}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
TEST(ThreadHandle, HasTheOldNames) {
    Thread thread;
    thread.setName("old");
    EXPECT_EQ(thread.getName(), "old");
    thread.setDaemon(true);
    EXPECT_TRUE(thread.isDaemon());
}
#pragma GCC diagnostic pop

struct Derived : Thread {
    using Thread::Thread;
};

static_assert(std::is_copy_constructible_v<Thread>);
static_assert(!std::is_constructible_v<Thread, int>);
static_assert(!std::is_constructible_v<Thread, void (*)(int)>);
static_assert(std::is_constructible_v<Thread, void (*)(int), int>);
static_assert(!std::is_copy_constructible_v<Joining> && std::is_move_constructible_v<Joining>);

TEST(ThreadHandle, OfADerivedClassIsACopyAndNotATarget) {
    Derived derived;
    const Thread thread(derived);
    EXPECT_EQ(thread, derived);
}

}  // namespace
