#include <weft/contextvars/context.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <weft/errors.hpp>

namespace {

using weft::contextvars::Context;
using weft::contextvars::ContextVar;
using weft::contextvars::copy_context;
using weft::contextvars::Variable;

TEST(Context, IsEmptyAtFirst) {
    const ContextVar<int> number("number", 5);
    const Context context;
    EXPECT_EQ(context.size(), 0u);
    EXPECT_TRUE(context.empty());
    EXPECT_FALSE(context.contains(number));
    EXPECT_TRUE(context.keys().empty());
}

TEST(Context, RunCallsWithArgumentsAndReturnsTheResult) {
    Context context;
    EXPECT_EQ(
        context.run([](int a, const std::string& b) { return a + static_cast<int>(b.size()); }, 4,
                    "five"),
        8);
    int value = 0;
    int& reference = context.run([&]() -> int& { return value; });
    EXPECT_EQ(&reference, &value);
    EXPECT_EQ(*context.run([](std::unique_ptr<int> p) { return p; }, std::make_unique<int>(3)), 3);
}

TEST(Context, KeepsWhatWasSetInARunAndTheOuterContextDoesNotSeeIt) {
    ContextVar<int> number("number", 0);
    number.set(1);
    Context context = copy_context();
    context.run([&] {
        EXPECT_EQ(number.get(), 1);
        number.set(2);
        EXPECT_EQ(number.get(), 2);
    });
    EXPECT_EQ(number.get(), 1);
    EXPECT_EQ(context[number], 2);
    context.run([&] { EXPECT_EQ(number.get(), 2); });
}

TEST(Context, RunRestoresTheCurrentContextAndKeepsWhatWasSetWhenItThrows) {
    ContextVar<int> number("number", 0);
    Context context;
    EXPECT_THROW(context.run([&] {
        number.set(1);
        throw std::domain_error("out");
    }),
                 std::domain_error);
    EXPECT_EQ(number.get(), 0);
    EXPECT_EQ(context[number], 1);
    context.run([] {});
}

TEST(Context, RunsNest) {
    ContextVar<int> number("number", 0);
    Context outer;
    Context inner;
    outer.run([&] {
        number.set(1);
        inner.run([&] {
            EXPECT_EQ(number.get(), 0);
            number.set(2);
            // What this thread set so far is seen, in both.
            EXPECT_EQ(outer[number], 1);
            EXPECT_EQ(inner[number], 2);
        });
        EXPECT_EQ(number.get(), 1);
        EXPECT_EQ(outer.size(), 1u);
    });
    EXPECT_EQ(number.get(), 0);
}

TEST(Context, EnteringItTwiceIsARuntimeError) {
    Context context;
    context.run([&] { EXPECT_THROW(context.run([] {}), std::runtime_error); });
    Context between;
    context.run(
        [&] { between.run([&] { EXPECT_THROW(context.run([] {}), std::runtime_error); }); });
    context.run([] {});
}

TEST(Context, EnteringItInTwoThreadsIsARuntimeError) {
    Context context;
    context.run([&] {
        std::jthread([&] { EXPECT_THROW(context.run([] {}), std::runtime_error); }).join();
    });
    std::jthread([&] { context.run([] {}); }).join();
}

TEST(Context, IsReadByOtherThreadsAsItWasWhenItWasEntered) {
    ContextVar<std::string> word("word");
    Context context;
    context.run([&] { word.set("before"); });
    context.run([&] {
        word.set("after");
        std::jthread([&] {
            EXPECT_EQ(context[word], "before");
            EXPECT_EQ(context.copy()[word], "before");
        }).join();
        EXPECT_EQ(context[word], "after");
    });
    EXPECT_EQ(context[word], "after");
}

TEST(Context, CopyContextIsACopyOfTheCurrentOne) {
    ContextVar<int> number("number");
    Context().run([&] {
        number.set(1);
        const Context copy = copy_context();
        number.set(2);
        EXPECT_EQ(copy[number], 1);
        EXPECT_EQ(copy.size(), 1u);
    });
}

TEST(Context, CopiesAreIndependent) {
    ContextVar<int> number("number");
    Context first;
    first.run([&] { number.set(1); });
    Context second = first.copy();
    Context third = first;
    second.run([&] { number.set(2); });
    EXPECT_EQ(first[number], 1);
    EXPECT_EQ(second[number], 2);
    EXPECT_EQ(third[number], 1);
    third = second;
    EXPECT_EQ(third[number], 2);
    third = std::move(first);
    EXPECT_EQ(third[number], 1);
}

TEST(Context, CopyOfAnEnteredContextIsNotEntered) {
    ContextVar<int> number("number");
    Context context;
    context.run([&] {
        number.set(1);
        Context copy = context;
        EXPECT_EQ(copy.run([&] { return number.get(); }), 1);
        Context moved = std::move(context);
        EXPECT_EQ(moved[number], 1);
        EXPECT_THROW(context = moved, std::runtime_error);
        EXPECT_THROW(context = Context(), std::runtime_error);
    });
    EXPECT_EQ(context[number], 1);
}

TEST(Context, IndexingWithoutValueIsAKeyErrorWhateverTheDefault) {
    const ContextVar<int> number("number", 5);
    const Context context;
    try {
        (void)context[number];
        FAIL() << "found a value";
    } catch (const weft::KeyError& error) {
        EXPECT_NE(std::string(error.what()).find("number"), std::string::npos);
    }
}

TEST(Context, ContainsWhatHasAValue) {
    ContextVar<int> number("number", 5);
    ContextVar<int> other("other", 5);
    Context context;
    context.run([&] { number.set(1); });
    EXPECT_TRUE(context.contains(number));
    EXPECT_FALSE(context.contains(other));
}

TEST(Context, GetsAValueOrTheCallsDefaultOrNothing) {
    ContextVar<std::string> word("word", "its own");
    Context context;
    EXPECT_EQ(context.get(word), std::nullopt);
    EXPECT_EQ(context.get(word, "given"), "given");
    context.run([&] { word.set("set"); });
    EXPECT_EQ(context.get(word), "set");
    EXPECT_EQ(context.get(word, "given"), "set");
}

TEST(Context, HasKeysValuesAndItemsInOneOrder) {
    ContextVar<int> number("number");
    ContextVar<std::string> word("word");
    const ContextVar<int> unset("unset");
    Context context;
    context.run([&] {
        word.set("five");
        number.set(5);
    });
    const auto keys = context.keys();
    const auto values = context.values();
    const auto items = context.items();
    ASSERT_EQ(keys.size(), 2u);
    EXPECT_TRUE(keys[0] == number);
    EXPECT_TRUE(keys[1] == word);
    EXPECT_FALSE(keys[0] == unset);
    EXPECT_EQ(keys[0].name(), "number");
    EXPECT_EQ(keys[1].repr(), "<ContextVar name='word'>");
    EXPECT_EQ(values.at(0).get<int>(), 5);
    EXPECT_EQ(values.at(1).get<std::string>(), "five");
    ASSERT_EQ(items.size(), 2u);
    EXPECT_EQ(items[0].first, keys[0]);
    EXPECT_EQ(items[0].second, values[0]);
    EXPECT_EQ(items[1].second.get<std::string>(), "five");
    EXPECT_EQ(context.size(), 2u);
}

TEST(Context, ValuesKnowTheirType) {
    ContextVar<int> number("number");
    Context context;
    context.run([&] { number.set(5); });
    const auto value = context.values().front();
    EXPECT_TRUE(value.is<int>());
    EXPECT_FALSE(value.is<long>());
    EXPECT_THROW((void)value.get<long>(), weft::TypeError);
}

TEST(Context, IsIteratedOverItsVariables) {
    ContextVar<int> one("one");
    ContextVar<int> two("two");
    Context context;
    context.run([&] {
        one.set(1);
        two.set(2);
    });
    std::vector<std::string> names;
    for (const Variable& each : context) names.push_back(each.name());
    EXPECT_EQ(names, (std::vector<std::string>{"one", "two"}));
}

TEST(Context, ComparesByContents) {
    ContextVar<std::string> word("word");
    ContextVar<int> number("number");
    Context a;
    Context b;
    EXPECT_EQ(a, b);
    a.run([&] { word.set("same"); });
    EXPECT_NE(a, b);
    b.run([&] { word.set("same"); });
    EXPECT_EQ(a, b);
    b.run([&] { word.set("other"); });
    EXPECT_NE(a, b);
    b.run([&] { word.set("same"); });
    a.run([&] { number.set(1); });
    b.run([&] { number.set(2); });
    EXPECT_NE(a, b);
    EXPECT_EQ(a, a.copy());
}

TEST(Context, ValuesWithoutComparisonAreEqualWhenTheyAreOne) {
    struct Opaque {
        explicit Opaque(int v) : value(v) {}
        std::string text{};
        int value;
    };
    const ContextVar<std::vector<Opaque>> many("many");
    const ContextVar<std::map<int, std::pair<Opaque, int>>> pairs("pairs");
    ContextVar<Opaque> opaque("opaque");
    Context a;
    a.run([&] { opaque.set(Opaque(1)); });
    const Context copy = a;
    EXPECT_EQ(a, copy);
    a.run([&] { opaque.set(Opaque(1)); });
    EXPECT_NE(a, copy);
}

TEST(Context, HasATextForm) {
    ContextVar<int> number("number");
    Context context;
    context.run([&] { number.set(1); });
    EXPECT_EQ(context.repr(), "<Context of 1 variables>");
}

TEST(Context, ACopyNeverChangesWhateverIsDoneToTheOther) {
    std::vector<std::unique_ptr<ContextVar<int>>> variables;
    for (int i = 0; i < 400; ++i) {
        variables.push_back(std::make_unique<ContextVar<int>>(std::to_string(i)));
    }
    struct Known {
        Context context;
        std::map<int, int> contents;
    };
    std::mt19937 random(7);
    std::vector<Known> all(1);
    for (int step = 0; step < 300; ++step) {
        // A copy of any earlier one, changed a little.
        Known next = all[random() % all.size()];
        next.context.run([&] {
            std::vector<weft::contextvars::Token<int>> tokens;
            std::vector<std::pair<int, std::map<int, int>>> before;
            for (auto i = random() % 12; i != 0; --i) {
                const int which = static_cast<int>(random() % variables.size());
                auto& variable = *variables[static_cast<std::size_t>(which)];
                before.emplace_back(which, next.contents);
                const int value = static_cast<int>(random());
                tokens.push_back(variable.set(value));
                next.contents[which] = value;
            }
            while (!tokens.empty() && random() % 3 != 0) {
                variables[static_cast<std::size_t>(before.back().first)]->reset(tokens.back());
                next.contents = before.back().second;
                tokens.pop_back();
                before.pop_back();
            }
        });
        all.push_back(std::move(next));
    }
    for (const Known& each : all) {
        ASSERT_EQ(each.context.size(), each.contents.size());
        for (int i = 0; i < 400; ++i) {
            const auto expected = each.contents.find(i);
            const auto found = each.context.get(*variables[static_cast<std::size_t>(i)]);
            ASSERT_EQ(found.has_value(), expected != each.contents.end());
            if (found) {
                ASSERT_EQ(*found, expected->second);
            }
        }
    }
}

TEST(Context, ThreadsShareCopiesAndTheirValues) {
    ContextVar<std::shared_ptr<int>> shared("shared");
    ContextVar<std::string> mine("mine", "none");
    const auto value = std::make_shared<int>(5);
    {
        Context base;
        base.run([&] { shared.set(value); });
        std::atomic<int> right{0};
        std::vector<std::jthread> threads;
        for (int i = 0; i < 4; ++i) {
            threads.emplace_back([&, i] {
                for (int round = 0; round < 500; ++round) {
                    Context own = base;
                    own.run([&] {
                        const auto scoped = mine.scoped(std::to_string(i));
                        if (*shared.get() == 5 && mine.get() == std::to_string(i)) ++right;
                    });
                    if (own == base) ++right;
                }
            });
        }
        threads.clear();
        EXPECT_EQ(right, 4 * 500 * 2);
    }
    EXPECT_EQ(value.use_count(), 1);
}

TEST(Context, IsRunByOneOfTwoThreadsThatTry) {
    ContextVar<int> count("count", 0);
    Context context;
    std::atomic<int> ran{0};
    {
        std::vector<std::jthread> threads;
        for (int i = 0; i < 2; ++i) {
            threads.emplace_back([&] {
                for (int round = 0; round < 2000; ++round) {
                    try {
                        context.run([&] { count.set(count.get() + 1); });
                        ++ran;
                    } catch (const std::runtime_error&) {
                        std::this_thread::yield();
                    }
                    (void)context.get(count);
                }
            });
        }
    }
    EXPECT_EQ(context[count], ran);
}

}  // namespace
