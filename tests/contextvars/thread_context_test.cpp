// The context that a thread is given, or takes over as a whole.

#include <weft/threading/thread_context.hpp>

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include <weft/contextvars.hpp>
#include <weft/threading.hpp>

namespace {

using weft::contextvars::Context;
using weft::contextvars::ContextVar;
using weft::contextvars::copy_context;
using namespace weft::threading;

ContextVar<std::string> word("word", "default");

void finish(Thread thread) {
    thread.start();
    thread.join();
}

TEST(ThreadContext, IsACopyOfTheGivenContextFromTheMomentOfMaking) {
    Context context;
    context.run([] { word.set("given"); });
    std::string seen;
    Thread thread({.context = context}, [&] {
        seen = word.get();
        word.set("changed by the thread");
    });
    context.run([] { word.set("later"); });
    finish(thread);
    EXPECT_EQ(seen, "given");
    EXPECT_EQ(context[word], "later");
}

TEST(ThreadContext, OfAReferenceIsThatContextItself) {
    Context context;
    context.run([] { word.set("given"); });
    std::string seen;
    finish(Thread({.context = std::ref(context)}, [&] {
        seen = word.get();
        word.set("changed by the thread");
    }));
    EXPECT_EQ(seen, "given");
    EXPECT_EQ(context[word], "changed by the thread");
    context.run([] { word.set("can be entered again"); });
}

TEST(ThreadContext, IsLeftWhenTheTargetThrows) {
    const ExceptHook before{excepthook};
    excepthook = [](const ExceptHookArgs&) {};
    Context context;
    finish(Thread({.context = std::ref(context)}, [] {
        word.set("set");
        throw std::logic_error("thrown");
    }));
    excepthook = before;
    EXPECT_EQ(context[word], "set");
    EXPECT_EQ(context.run([] { return word.get(); }), "set");
}

TEST(ThreadContext, OfCopiedOptionsIsEachThreadsOwn) {
    Context context;
    context.run([] { word.set("given"); });
    const ThreadOptions options{.context = context};
    std::vector<std::string> seen;
    const auto target = [&] {
        seen.push_back(word.get());
        word.set("of the first");
    };
    const Thread first(options, target);
    const Thread second(options, target);
    finish(first);
    finish(second);
    EXPECT_EQ(seen, (std::vector<std::string>{"given", "given"}));
}

TEST(ThreadContext, ThatIsEmptyHidesWhatThreadsInherit) {
    auto inherited = ContextVar<int>::thread_inheritable("inherited", 0);
    Context().run([&] {
        inherited.set(5);
        std::size_t size = 1;
        finish(Thread({.context = Context()}, [&] { size = copy_context().size(); }));
        EXPECT_EQ(size, 0u);
    });
}

TEST(ThreadContext, ThatIsEnteredElsewhereFailsTheThreadBeforeItsTarget) {
    const ExceptHook before{excepthook};
    std::string what;
    excepthook = [&](const ExceptHookArgs& args) { what = args.what(); };
    Context context;
    bool was_called = false;
    context.run(
        [&] { finish(Thread({.context = std::ref(context)}, [&] { was_called = true; })); });
    excepthook = before;
    EXPECT_NE(what.find("entered already"), std::string::npos) << what;
    EXPECT_FALSE(was_called);
}

TEST(ThreadContext, IsForTimersAndRunnablesToo) {
    struct Reader : Runnable {
        std::string seen;
        void run() override { seen = word.get(); }
    };
    Context context;
    context.run([] { word.set("given"); });
    auto reader = Thread::of<Reader>({.context = context});
    finish(reader);
    EXPECT_EQ(reader->seen, "given");
    std::string seen;
    finish(Timer({.context = context}, 0, [&] { seen = word.get(); }));
    EXPECT_EQ(seen, "given");
}

TEST(ThreadContext, IsNotEnteredByARunOnTheCallingThread) {
    Context context;
    context.run([] { word.set("given"); });
    std::string seen;
    Thread({.context = context}, [&] { seen = word.get(); }).run();
    EXPECT_EQ(seen, "default");
}

TEST(ThreadContext, LetsGoOfItsValuesWhenTheThreadEnds) {
    const auto value = std::make_shared<int>(1);
    ContextVar<std::shared_ptr<int>> shared("shared");
    auto context = std::make_optional<Context>();
    context->run([&] { shared.set(value); });
    Thread thread({.context = *context}, [&] { EXPECT_EQ(value.use_count(), 2); });
    context.reset();
    finish(thread);
    EXPECT_EQ(value.use_count(), 1);
}

class InheritedContext : public testing::Test {
protected:
    InheritedContext() { thread_inherit_context(true); }
    ~InheritedContext() override { thread_inherit_context(false); }
};

TEST_F(InheritedContext, IsACopyOfTheStartersFromTheMomentOfTheStart) {
    std::string seen;
    Context().run([&] {
        word.set("at the making");
        Thread thread([&] {
            seen = word.get();
            word.set("changed by the thread");
        });
        word.set("at the start");
        finish(thread);
        EXPECT_EQ(word.get(), "at the start");
    });
    EXPECT_EQ(seen, "at the start");
}

TEST_F(InheritedContext, GivesWayToAGivenOne) {
    std::string seen;
    Context().run([&] {
        word.set("starter's");
        finish(Thread({.context = Context()}, [&] { seen = word.get(); }));
    });
    EXPECT_EQ(seen, "default");
}

TEST_F(InheritedContext, IsAChoiceThatCanBeTakenBack) {
    EXPECT_TRUE(thread_inherit_context());
    EXPECT_TRUE(thread_inherit_context(false));
    EXPECT_FALSE(thread_inherit_context());
    std::string seen;
    Context().run([&] {
        word.set("starter's");
        finish(Thread([&] { seen = word.get(); }));
    });
    EXPECT_EQ(seen, "default");
}

}  // namespace
