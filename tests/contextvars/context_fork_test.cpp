// What a child of fork() finds of contexts.

#include <weft/contextvars.hpp>

#include <gtest/gtest.h>

#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>

namespace {

using weft::contextvars::Context;
using weft::contextvars::ContextVar;
using weft::contextvars::copy_context;

constexpr int kGood = 42;

/// The exit code of a child that runs `work`.
int run_in_child(const std::function<int()>& work) {
    const pid_t pid = fork();
    if (pid == 0) _exit(work());
    int status = 0;
    if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status)) return -1;
    return WEXITSTATUS(status);
}

TEST(ContextFork, TheChildHasTheForkingThreadsContext) {
    ContextVar<std::string> word("word", "none");
    const auto token = word.set("set");
    Context context;
    context.run([&] {
        word.set("inner");
        EXPECT_EQ(run_in_child([&] {
                      if (word.get() != "inner") return 1;
                      word.set("child");
                      return context[word] == "child" ? kGood : 2;
                  }),
                  kGood);
        EXPECT_EQ(word.get(), "inner");
    });
    EXPECT_EQ(run_in_child([&] {
                  word.reset(token);
                  return word.get() == "none" && context[word] == "inner" ? kGood : 1;
              }),
              kGood);
}

TEST(ContextFork, AContextThatAnotherThreadRunsInCanBeReadAndCopiedButNotEntered) {
    ContextVar<std::string> word("word");
    Context context;
    context.run([&] { word.set("before"); });
    std::atomic<bool> is_inside{false};
    std::atomic<bool> is_over{false};
    {
        const std::jthread other([&] {
            context.run([&] {
                is_inside = true;
                is_inside.notify_one();
                is_over.wait(false);
            });
        });
        is_inside.wait(false);
        EXPECT_EQ(run_in_child([&] {
                      if (context[word] != "before") return 1;
                      try {
                          context.run([] {});
                          return 2;
                      } catch (const std::runtime_error&) {
                      }
                      return context.copy().run([&] { return word.get(); }) == "before" ? kGood : 3;
                  }),
                  kGood);
        is_over = true;
        is_over.notify_one();
    }
}

TEST(ContextFork, TheChildMayDestroyAContextThatAThreadOfTheParentRunsIn) {
    ContextVar<std::string> word("word");
    std::optional<Context> context(std::in_place);
    std::atomic<bool> is_inside{false};
    std::atomic<bool> is_over{false};
    {
        const std::jthread other([&] {
            context->run([&] {
                word.set("inside");
                is_inside = true;
                is_inside.notify_one();
                is_over.wait(false);
            });
        });
        is_inside.wait(false);
        EXPECT_EQ(run_in_child([&] {
                      context.reset();
                      return kGood;
                  }),
                  kGood);
        is_over = true;
        is_over.notify_one();
    }
    EXPECT_EQ((*context)[word], "inside");
}

TEST(ContextFork, IsWholeWhateverOtherThreadsDo) {
    ContextVar<std::string> word("word", "none");
    Context shared;
    std::atomic<bool> is_over{false};
    {
        const std::jthread other([&] {
            for (int i = 0; !is_over; ++i) {
                shared.run([&] { word.set(std::to_string(i)); });
            }
        });
        for (int round = 0; round < 60; ++round) {
            ASSERT_EQ(run_in_child([&] {
                          const Context copy = shared;
                          return copy.size() == copy.keys().size() ? kGood : 1;
                      }),
                      kGood);
        }
        is_over = true;
    }
}

}  // namespace
