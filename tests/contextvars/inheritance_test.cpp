// What a new thread takes over from the one that starts it.

#include <weft/contextvars.hpp>

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <thread>

#include <weft/threading.hpp>

namespace {

using weft::contextvars::Context;
using weft::contextvars::ContextVar;
using weft::contextvars::copy_context;
using weft::threading::Joining;
using weft::threading::Thread;

TEST(ContextInheritance, AThreadTakesOverTheValuesOfInheritableVariables) {
    auto inherited = ContextVar<std::string>::thread_inheritable("inherited", "default");
    auto unset = ContextVar<int>::thread_inheritable("unset");
    ContextVar<std::string> ordinary("ordinary", "default");
    EXPECT_EQ(inherited.get(), "default");
    inherited.set("set");
    ordinary.set("set");
    std::string of_inherited;
    std::string of_ordinary;
    std::size_t size = 0;
    Thread thread([&] {
        of_inherited = inherited.get();
        of_ordinary = ordinary.get();
        size = copy_context().size();
        inherited.set("changed by the thread");
    });
    // The moment of the start counts.
    inherited.set("set again");
    thread.start();
    thread.join();
    EXPECT_EQ(of_inherited, "set again");
    EXPECT_EQ(of_ordinary, "default");
    EXPECT_EQ(size, 1u);
    EXPECT_EQ(inherited.get(), "set again");
}

TEST(ContextInheritance, GoesOnFromThreadToThread) {
    auto inherited = ContextVar<int>::thread_inheritable("inherited", 0);
    int seen = 0;
    Context().run([&] {
        inherited.set(5);
        const Joining outer{
            Thread([&] { const Joining inner{Thread([&] { seen = inherited.get(); })}; })};
    });
    EXPECT_EQ(seen, 5);
}

TEST(ContextInheritance, IsReleasedWithTheThread) {
    const auto value = std::make_shared<int>(1);
    auto inherited = ContextVar<std::shared_ptr<int>>::thread_inheritable("inherited");
    Context().run([&] {
        inherited.set(value);
        Thread never_started([] {});
        Thread thread([&] { EXPECT_EQ(inherited.get(), value); });
        thread.start();
        thread.join();
    });
    EXPECT_EQ(value.use_count(), 1);
}

TEST(ContextInheritance, IsNotForThreadsOfOthers) {
    auto inherited = ContextVar<int>::thread_inheritable("inherited", 0);
    inherited.set(5);
    std::jthread([&] { EXPECT_EQ(inherited.get(), 0); }).join();
}

}  // namespace
