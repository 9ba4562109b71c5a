#include <weft/contextvars.hpp>

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include <weft/errors.hpp>
#include <weft/unraisable.hpp>

namespace {

using weft::contextvars::Context;
using weft::contextvars::ContextVar;
using weft::contextvars::copy_context;
using weft::contextvars::Scoped;
using weft::contextvars::Token;

/// Runs in a context of its own, as a new thread does.
void in_new_context(const auto& body) {
    Context().run(body);
}

struct Plain {
    std::int16_t a = 0;
    char b = 0;
    friend bool operator==(Plain, Plain) = default;
};

/// Counts how many of it there are.
struct Counted {
    explicit Counted(int* count) : alive(count) { ++*alive; }
    Counted(const Counted& other) : alive(other.alive) { ++*alive; }
    Counted& operator=(const Counted&) = delete;
    ~Counted() { --*alive; }
    int* alive;
};

TEST(ContextVar, GetsWhatWasSet) {
    ContextVar<int> number("number");
    ContextVar<std::string> text("text");
    ContextVar<Plain> plain("plain");
    number.set(5);
    text.set("five");
    plain.set(Plain{5, 'f'});
    EXPECT_EQ(number.get(), 5);
    EXPECT_EQ(text.get(), "five");
    EXPECT_EQ(plain.get(), (Plain{5, 'f'}));
    number.set(6);
    EXPECT_EQ(number.get(), 6);
}

TEST(ContextVar, HasTheNameThatItWasGiven) {
    const ContextVar<int> depth("depth");
    EXPECT_EQ(depth.name(), "depth");
    EXPECT_EQ(depth.repr(), "<ContextVar name='depth'>");
}

TEST(ContextVar, GetsItsDefaultWhereItHasNoValue) {
    ContextVar<std::string> word("word", "none");
    EXPECT_EQ(word.get(), "none");
    const auto token = word.set("some");
    EXPECT_EQ(word.get(), "some");
    word.reset(token);
    EXPECT_EQ(word.get(), "none");
}

TEST(ContextVar, GetPrefersTheValueThenTheCallsDefaultThenItsOwn) {
    ContextVar<int> number("number", 1);
    EXPECT_EQ(number.get(2), 2);
    EXPECT_EQ(number.get(), 1);
    EXPECT_EQ(number.get(2), 2);
    number.set(3);
    EXPECT_EQ(number.get(2), 3);
    EXPECT_EQ(number.get(), 3);
}

TEST(ContextVar, GetWithoutValueAndDefaultIsALookupError) {
    const ContextVar<int> number("number");
    try {
        (void)number.get();
        FAIL() << "found a value";
    } catch (const weft::LookupError& error) {
        EXPECT_NE(std::string(error.what()).find("<ContextVar name='number'>"), std::string::npos);
    }
    EXPECT_EQ(number.get(7), 7);
}

TEST(ContextVar, OfOneNameAreDistinct) {
    ContextVar<int> one("same");
    ContextVar<int> other("same");
    one.set(1);
    EXPECT_THROW((void)other.get(), weft::LookupError);
    EXPECT_FALSE(one == other);
    EXPECT_TRUE(one == one);
    EXPECT_NE(std::hash<ContextVar<int>>()(one), std::hash<ContextVar<int>>()(other));
    EXPECT_FALSE(std::is_copy_constructible_v<ContextVar<int>>);
}

TEST(ContextVar, ThatTookTheAddressOfAnotherIsStillAnother) {
    alignas(ContextVar<int>) std::byte place[sizeof(ContextVar<int>)];
    auto* first = new (place) ContextVar<int>("first", 1);
    EXPECT_EQ(first->get(), 1);
    first->set(10);
    first->~ContextVar();
    auto* second = new (place) ContextVar<int>("second", 2);
    EXPECT_EQ(second->get(), 2);
    second->~ContextVar();
}

TEST(ContextVar, HoldsValuesThatCannotBeCopied) {
    ContextVar<std::unique_ptr<int>> pointer("pointer");
    const auto token = pointer.set(std::make_unique<int>(5));
    EXPECT_EQ(*pointer.get(), 5);
    pointer.set(std::make_unique<int>(6));
    EXPECT_EQ(*pointer.get(), 6);
    pointer.reset(token);
    EXPECT_THROW((void)pointer.get(), weft::LookupError);
}

TEST(ContextVar, HasAValueOfItsOwnInEachThread) {
    ContextVar<int> number("number", 0);
    number.set(1);
    std::jthread([&] {
        EXPECT_EQ(number.get(), 0);
        number.set(2);
        EXPECT_EQ(number.get(), 2);
    }).join();
    EXPECT_EQ(number.get(), 1);
}

TEST(ContextVar, LetsGoOfAThreadsValuesWhenTheThreadEnds) {
    int alive = 0;
    ContextVar<Counted> counted("counted");
    std::jthread([&] {
        counted.set(Counted(&alive));
        EXPECT_EQ(alive, 1);
    }).join();
    EXPECT_EQ(alive, 0);
}

TEST(ContextVar, MayDieBeforeAContextThatHoldsIt) {
    int alive = 0;
    {
        Context context;
        {
            ContextVar<Counted> counted("gone");
            context.run([&] { counted.set(Counted(&alive)); });
        }
        EXPECT_EQ(alive, 1);
        EXPECT_EQ(context.size(), 1u);
        EXPECT_EQ(context.keys().front().name(), "gone");
        EXPECT_EQ(context.values().front().get<Counted>().alive, &alive);
    }
    EXPECT_EQ(alive, 0);
}

TEST(ContextVar, DestroysAValueThatWasReplaced) {
    int alive = 0;
    ContextVar<Counted> counted("counted");
    in_new_context([&] {
        counted.set(Counted(&alive));
        counted.set(Counted(&alive));
        EXPECT_EQ(alive, 1);
    });
    EXPECT_EQ(alive, 0);
}

TEST(ContextVar, ManyAreKeptApart) {
    std::vector<std::unique_ptr<ContextVar<int>>> variables;
    for (int i = 0; i < 5000; ++i) {
        variables.push_back(std::make_unique<ContextVar<int>>(std::to_string(i)));
    }
    Context context;
    context.run([&] {
        // From the last, so that the tree has to grow downwards as well.
        for (int i = 4999; i >= 0; i -= 2) variables[static_cast<std::size_t>(i)]->set(i);
        for (int i = 0; i < 5000; i += 2) variables[static_cast<std::size_t>(i)]->set(-i);
        for (int i = 0; i < 5000; ++i) {
            ASSERT_EQ(variables[static_cast<std::size_t>(i)]->get(), i % 2 == 0 ? -i : i);
        }
    });
    EXPECT_EQ(context.size(), 5000u);
}

TEST(ContextVar, ThrowsWhatMakingTheValueThrowsAndChangesNothing) {
    struct Throws {
        explicit Throws(int) {}
        Throws(const Throws&) { throw std::domain_error("copy"); }
    };
    ContextVar<Throws> variable("variable");
    const Throws value(1);
    EXPECT_THROW(variable.set(value), std::domain_error);
    EXPECT_FALSE(copy_context().contains(variable));
}

TEST(ContextVar, AValuesDestructorMaySetVariables) {
    struct SetsAnother {
        ContextVar<int>* other;
        explicit SetsAnother(ContextVar<int>* to) : other(to) {}
        SetsAnother(SetsAnother&& from) noexcept : other(std::exchange(from.other, nullptr)) {}
        ~SetsAnother() {
            if (other != nullptr) other->set(9);
        }
    };
    ContextVar<int> other("other", 0);
    ContextVar<SetsAnother> variable("variable");
    Context context;
    context.run([&] {
        variable.set(SetsAnother(&other));
        variable.set(SetsAnother(nullptr));
        EXPECT_EQ(other.get(), 9);
        EXPECT_NO_THROW((void)variable.get());
    });
    EXPECT_EQ(context.size(), 2u);
}

// Token
// --------------------------------------------------------------------------------------------

TEST(ContextVarToken, ResetsToTheValueBeforeTheSet) {
    ContextVar<std::string> word("word");
    word.set("first");
    const auto token = word.set("second");
    word.set("third");
    word.reset(token);
    EXPECT_EQ(word.get(), "first");
}

TEST(ContextVarToken, ResetsToNothing) {
    ContextVar<int> number("number");
    in_new_context([&] {
        const auto token = number.set(1);
        number.set(2);
        number.reset(token);
        EXPECT_THROW((void)number.get(), weft::LookupError);
        EXPECT_TRUE(copy_context().keys().empty());
    });
}

TEST(ContextVarToken, ResetToNothingOfWhatIsNotSetAnyMore) {
    ContextVar<int> number("number");
    in_new_context([&] {
        const auto first = number.set(1);
        const auto second = number.set(2);
        number.reset(first);
        number.reset(second);
        EXPECT_EQ(number.get(), 1);
    });
}

TEST(ContextVarToken, KnowsItsVariableAndTheOldValue) {
    ContextVar<int> number("number");
    const auto first = number.set(1);
    const auto second = number.set(2);
    EXPECT_EQ(&first.var(), &number);
    EXPECT_EQ(first.old_value(), Token<int>::MISSING);
    EXPECT_FALSE(first.old_value().has_value());
    EXPECT_THROW((void)first.old_value().value(), weft::LookupError);
    EXPECT_EQ(second.old_value(), 1);
    EXPECT_EQ(*second.old_value(), 1);
    EXPECT_FALSE(second.old_value() == Token<int>::MISSING);
}

TEST(ContextVarToken, KeepsTheOldValue) {
    int alive = 0;
    ContextVar<Counted> counted("counted");
    in_new_context([&] {
        counted.set(Counted(&alive));
        {
            const auto token = counted.set(Counted(&alive));
            EXPECT_EQ(alive, 2);
            EXPECT_EQ(token.old_value().value().alive, &alive);
        }
        EXPECT_EQ(alive, 1);
    });
}

TEST(ContextVarToken, WorksOnce) {
    ContextVar<int> number("number", 0);
    const auto token = number.set(1);
    number.reset(token);
    number.set(5);
    EXPECT_THROW(number.reset(token), std::runtime_error);
    EXPECT_EQ(number.get(), 5);
    EXPECT_EQ(token.repr(), "<Token used var=<ContextVar name='number'>>");
    EXPECT_EQ(number.set(1).repr(), "<Token var=<ContextVar name='number'>>");
}

TEST(ContextVarToken, OfAnotherVariableIsRefused) {
    ContextVar<int> one("one", 0);
    ContextVar<int> other("other", 0);
    const auto token = one.set(1);
    EXPECT_THROW(other.reset(token), std::invalid_argument);
    one.reset(token);
    EXPECT_EQ(one.get(), 0);
}

TEST(ContextVarToken, OfAnotherContextIsRefused) {
    ContextVar<int> number("number", 0);
    const auto token = number.set(1);
    Context copy = copy_context();
    EXPECT_THROW(copy.run([&] { number.reset(token); }), std::invalid_argument);
    std::jthread([&] { EXPECT_THROW(number.reset(token), std::invalid_argument); }).join();
    EXPECT_EQ(number.get(), 1);
    number.reset(token);
    EXPECT_EQ(number.get(), 0);
}

TEST(ContextVarToken, WorksInALaterRunOfItsContext) {
    ContextVar<int> number("number", 0);
    Context context;
    std::optional<Token<int>> token;
    context.run([&] { token.emplace(number.set(1)); });
    EXPECT_THROW(number.reset(*token), std::invalid_argument);
    Context moved = std::move(context);
    moved.run([&] { number.reset(*token); });
    EXPECT_FALSE(moved.contains(number));
}

TEST(ContextVarToken, IsMovedAndNotCopied) {
    ContextVar<int> number("number", 0);
    Token<int> token = number.set(1);
    Token<int> moved = std::move(token);
    EXPECT_THROW(number.reset(token), std::runtime_error);
    number.reset(moved);
    EXPECT_EQ(number.get(), 0);
    EXPECT_FALSE(std::is_copy_constructible_v<Token<int>>);
    EXPECT_FALSE(std::is_default_constructible_v<Token<int>>);
}

// Scoped
// -------------------------------------------------------------------------------------------

TEST(ContextVarScoped, ResetsAtTheScopesEnd) {
    ContextVar<int> number("number", 0);
    {
        const auto scoped = number.scoped(7);
        EXPECT_EQ(number.get(), 7);
        EXPECT_EQ(scoped.token().old_value(), Token<int>::MISSING);
        {
            const Scoped inner(number.set(8));
            EXPECT_EQ(number.get(), 8);
        }
        EXPECT_EQ(number.get(), 7);
    }
    EXPECT_EQ(number.get(), 0);
}

TEST(ContextVarScoped, ResetsWhenAnExceptionPasses) {
    ContextVar<int> number("number", 0);
    try {
        const auto scoped = number.scoped(7);
        throw std::domain_error("out");
    } catch (const std::domain_error&) {
        EXPECT_EQ(number.get(), 0);
    }
}

TEST(ContextVarScoped, RefusesATokenThatWasUsed) {
    ContextVar<int> number("number", 0);
    Token<int> token = number.set(1);
    number.reset(token);
    EXPECT_THROW(Scoped<int>(std::move(token)), std::runtime_error);
}

TEST(ContextVarScoped, DoesNothingWhenTheTokenWasUsedMeanwhile) {
    ContextVar<int> number("number", 0);
    {
        const auto scoped = number.scoped(1);
        number.reset(scoped.token());
        number.set(2);
    }
    EXPECT_EQ(number.get(), 2);
}

TEST(ContextVarScoped, TellsWhenItEndsInAnotherContext) {
    std::string told;
    const auto before = weft::unraisablehook;
    weft::unraisablehook = [&](const weft::UnraisableHookArgs& args) { told = args.what(); };
    ContextVar<int> number("number", 0);
    {
        std::optional<Scoped<int>> scoped;
        Context().run([&] { scoped.emplace(number.set(1)); });
    }
    weft::unraisablehook = before;
    EXPECT_NE(told.find("was made in another context"), std::string::npos);
}

}  // namespace
