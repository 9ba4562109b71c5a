// Bytes that were made to stop the reader: by deep recursion, by work that grows with the square of
// their length or worse, by memory out of proportion. Without its defence, each case needs minutes,
// gigabytes or more than the stack.

#include <weft/pickle.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <exception>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

#include <gtest/gtest.h>

#include "wires.hpp"

namespace {

namespace pickle = weft::pickle;
using pickle::UnpicklingError;
using pickle::Value;
using namespace std::string_literals;
using wires::get;
using wires::kClass;
using wires::kStart;
using wires::repeated;
using wires::text;

template <class T = Value>
std::string refusal_of(const std::string& wire, const pickle::LoadOptions& options = {}) {
    try {
        static_cast<void>(pickle::loads<T>(wire, options));
        return "accepted";
    } catch (const UnpicklingError& error) {
        return error.what();
    }
}

void expect_refusal(const std::string& refusal, const std::string& reason) {
    EXPECT_NE(refusal.find(reason), std::string::npos) << refusal;
}

/// Objects X0, X1, ..., each with the state {next: None}, put together from the outside in, so that
/// none is deep while it is put into another. The first stays on the stack.
std::string chain(std::size_t length, std::size_t& memo) {
    std::string wire = get(0) + ")R\x94";
    for (std::size_t i = 0; i < length; ++i) {
        if (i > 0) wire += get(memo + i);
        wire += "}" + get(0) + ")R\x94Nsb";
        if (i > 0) wire += '0';
    }
    memo += length + 1;
    return wire;
}

constexpr pickle::LoadOptions kAnyDepth{.max_depth = std::size_t{1} << 30};

TEST(PickleHostile, DepthIsFoundAlsoWhereItGrewFromOutsideIn) {
    std::string lists = kStart + "]\x94]\x94" + "a";
    for (std::size_t i = 1; i < 5000; ++i) lists += get(i) + "]\x94" + "a0";
    expect_refusal(refusal_of(lists + "."), "nested deeper than 1000");
    EXPECT_EQ(pickle::loads(lists + ".", kAnyDepth).size(), 1U);
    std::size_t memo = 1;
    const std::string objects = kStart + kClass + chain(5000, memo) + ".";
    expect_refusal(refusal_of(objects), "nested deeper than 1000");
    // What leads back is no depth: parents in their children's hands.
    std::string family = kStart + "]\x94(";
    for (std::size_t i = 1; i < 900; ++i) family += "]\x94(" + get(i - 1);
    family += repeated("e", 900) + ".";
    EXPECT_EQ(pickle::loads(family).size(), 1U);
}

TEST(PickleHostile, DeepChainsOfKeysDoNotOverflowTheStack) {
    std::size_t memo = 1;
    std::string wire = kStart + kClass + "\x8f(" + chain(20000, memo);
    wire += chain(20000, memo);
    const Value pair = pickle::loads(wire + "\x90.", kAnyDepth);
    EXPECT_EQ(pair.size(), 2U);
    const Value again = pickle::loads(wire + "\x90.", kAnyDepth);
    EXPECT_THROW(static_cast<void>(pair == again), pickle::PickleError);
    // Tuples are hashed to their end.
    std::string deep = kStart + "\x8f(N" + repeated("\x85", 200000) + "\x90.";
    expect_refusal(refusal_of(deep, kAnyDepth), "too deep");
}

TEST(PickleHostile, SetsInSetsAreComparedOnce) {
    // Fi = frozenset({(Fi-1, 0), (Fi-1, 1)}), built twice.
    std::string wire = kStart;
    for (std::size_t side = 0; side < 2; ++side) {
        wire +=
            "(\x91\x94"
            "0";
        for (std::size_t i = 0; i < 60; ++i) {
            const std::string inner = get(61 * side + i);
            wire += "(" + inner + "K\x00\x86"s + inner + "K\x01\x86\x91\x94" + "0";
        }
    }
    wire += "\x8f(" + get(60) + get(121) + "\x90.";
    const Value set = pickle::loads(wire);
    EXPECT_EQ(set.size(), 1U);
    EXPECT_TRUE(set == pickle::loads(wire));
}

TEST(PickleHostile, NansAsKeysAreNotCompared) {
    const std::string nan = "G\x7f\xf8\0\0\0\0\0\0"s;
    const Value set =
        pickle::loads(kStart + "\x8f(" + nan + "\x94" + repeated(get(0), 200000) + "\x90.");
    EXPECT_EQ(set.size(), 200001U);
    EXPECT_FALSE(set.contains(std::nan("")));
    const Value tuples = pickle::loads(kStart + "\x8f(" + repeated(nan + "\x85", 100000) + "\x90.");
    EXPECT_EQ(tuples.size(), 100000U);
    EXPECT_TRUE(tuples.contains(tuples.items()[7]));
}

TEST(PickleHostile, ALongKeyNamedAgainAndAgainIsCounted) {
    const std::string key = text(std::string(200'000, 'k'));
    expect_refusal(
        refusal_of(kStart + key + "\x94" + "0}(" + repeated(get(0) + "N", 20'000) + "u."),
        "comparing keys takes too long for what came (SETITEMS at byte");
    expect_refusal(
        refusal_of(kStart + key + "\x94" + "0\x8f(" + repeated(get(0), 20'000) + "\x90."),
        "takes too long");
    // What is not out of proportion is read.
    EXPECT_EQ(
        pickle::loads(kStart + key + "\x94" + "0}(" + repeated(get(0) + "N", 100) + "u.").size(),
        1U);
    const std::string allowed = kStart + key + "\x94" + "0}(" + repeated(get(0) + "N", 2000) + "u.";
    expect_refusal(refusal_of(allowed), "takes too long");
    EXPECT_EQ(refusal_of(allowed, {.max_key_steps = std::size_t{1} << 30}), "accepted");
}

TEST(PickleHostile, ArgumentsWithoutAHashAreNotHashedAgainAndAgain) {
    // Objects made with one tuple of many items and a list; a tuple that holds that tuple.
    const std::string arguments = "(" + repeated("N", 100'000) + "]t\x94";
    const Value objects = pickle::loads(kStart + kClass + arguments + "0\x8f(" +
                                        repeated(get(0) + get(1) + "R", 50'000) + "\x90.");
    EXPECT_EQ(objects.size(), 50'000U);
    std::string refused = kStart + arguments + "0\x8f(" + get(0) + "\x90.";
    expect_refusal(refusal_of(refused), "a member of a set that has no hash");
    const std::string dates =
        "\x8c\x08"
        "datetime\x8c\x04"
        "date\x93\x94";
    const Value odd = pickle::loads(kStart + dates + arguments + "0\x8f(" +
                                    repeated(get(0) + get(1) + "R", 50'000) + "\x90.");
    EXPECT_EQ(odd.size(), 50'000U);
}

TEST(PickleHostile, NumbersOfTheMemoCannotCollide) {
    // Multiples of the sizes that hash tables like to have.
    std::string wire = "N";
    for (std::uint64_t i = 1; i <= 150'000; ++i) {
        wire += "p" + std::to_string(i * 85229 * 172933) + "\n";
    }
    EXPECT_TRUE(pickle::loads(wire + ".").is_none());
}

TEST(PickleHostile, ObjectsThatDifferInWhatWasAppendedDoNotCollide) {
    std::string wire = kStart + kClass + "0\x8f(";
    for (unsigned i = 0; i < 60'000; ++i) {
        wire += get(0) + ")RM" + static_cast<char>(i & 0xff) + static_cast<char>(i >> 8) + "a";
    }
    EXPECT_EQ(pickle::loads(wire + "\x90.").size(), 60'000U);
}

TEST(PickleHostile, BigIntegersDoNotBecomeInfinite) {
    const std::string big = "\x8b\x20\xa1\x07\x00"s + std::string(500'000, '\x7f');
    const std::string array =
        "\x8c\x05"
        "array\x8c\x05"
        "array\x93";
    const std::string wire = kStart + big + "\x94" + "0" + array +
                             "\x8c\x01"
                             "d](" +
                             repeated(get(0), 100'000) + "e\x86R.";
    expect_refusal(refusal_of(wire), "a number that does not fit into its array");
}

TEST(PickleHostile, NearlyEqualKeysAreToldApartByTheirHashes) {
    const std::string nones = "(" + repeated("N", 200'000);
    const std::string sets = repeated("\x8f(" + get(0) + get(1) + "\x90" + "0", 50'000);
    const std::string last_differs = kStart + nones + "K\x01t\x94" + "0" + nones + "K\x02t\x94";
    EXPECT_EQ(pickle::loads(last_differs + sets + ".").size(), 200'001U);
    const std::string equal = kStart + nones + "K\x01t\x94" + "0" + nones + "K\x01t\x94";
    expect_refusal(refusal_of(equal + sets + "."), "takes too long");
}

TEST(PickleHostile, ComparingWhatIsEqualInManyWaysEnds) {
    // Sets of objects that are told apart by their parts alone.
    std::string wire = kStart + kClass + "0\x8f(";
    for (unsigned i = 0; i < 50'000; ++i) {
        wire += get(0) + "M" + static_cast<char>(i & 0xff) + static_cast<char>(i >> 8) + "\x85R";
    }
    const Value left = pickle::loads(wire + "\x90.");
    EXPECT_TRUE(left == pickle::loads(wire + "\x90."));
    std::vector<Value> members = left.items();
    std::ranges::reverse(members);
    const Value reversed = pickle::loads(pickle::dumps(Value::set(members)));
    EXPECT_THROW(static_cast<void>(left == reversed), pickle::PickleError);
}

TEST(PickleHostile, CopiesInExceptionsAreCounted) {
    // One exception with a long message, met many times.
    const std::string error =
        "\x8c\x08"
        "builtins\x8c\x0a"
        "ValueError\x93" +
        text(std::string(100'000, 'x')) + "\x85R\x94";
    const std::string wire = kStart + "](" + error + repeated(get(0), 2000) + "e.";
    EXPECT_EQ(pickle::loads(wire).size(), 2001U);
    expect_refusal(refusal_of<std::vector<std::exception_ptr>>(wire, {.max_copies = 1 << 20}),
                   "one object is copied again and again");
    const std::string few = kStart + "](" + error + repeated(get(0), 20) + "e.";
    EXPECT_EQ(pickle::loads<std::vector<std::exception_ptr>>(few).size(), 21U);
}

struct Big {
    std::optional<std::array<double, 512>> numbers;
    std::vector<Big> children;
};
struct BigShared {
    std::optional<std::array<double, 512>> numbers;
    std::vector<std::unique_ptr<BigShared>> children;
};
template <class Archive>
void serialize(Archive& archive, BigShared& big) {
    archive(big.numbers, big.children);
}

TEST(PickleHostile, CopiesCountWithTheSizeOfTheirType) {
    std::string wire = kStart + "N]\x86\x94";
    for (std::size_t i = 0; i < 12; ++i) {
        wire += "0N](" + get(i) + get(i) + "e\x86\x94";
    }
    wire += ".";
    EXPECT_EQ(pickle::loads<Big>(wire).children.size(), 2U);
    expect_refusal(refusal_of<Big>(wire, {.max_copies = 1 << 20}), "copied again and again");
    expect_refusal(refusal_of<BigShared>(wire, {.max_copies = 1 << 20}), "copied again and again");
    // One byte each, four kilobytes each.
    const std::string nones = kStart + "](" + repeated("N", 5000) + "e.";
    using Optionals = std::vector<std::optional<std::array<double, 512>>>;
    expect_refusal(refusal_of<Optionals>(nones, {.max_copies = 1 << 20}), "copied again and again");
    EXPECT_EQ(pickle::loads<Optionals>(nones).size(), 5000U);
}

TEST(PickleHostile, NoLimitIsNoLimit) {
    constexpr std::size_t kNone = std::numeric_limits<std::size_t>::max();
    const std::string wire =
        kStart + "](" + text(std::string(1000, 'x')) + "\x94" + repeated(get(0), 1000) + "e.";
    const pickle::LoadOptions unlimited{
        .max_depth = kNone, .max_copies = kNone, .max_key_steps = kNone};
    EXPECT_EQ(pickle::loads<std::vector<std::string>>(wire, unlimited).size(), 1001U);
    EXPECT_EQ(pickle::loads(wire, unlimited).get<std::vector<std::string>>().size(), 1001U);
}

TEST(PickleHostile, WhatAProgramWrapsAgainAndAgainIsDestroyedInALoop) {
    Value value;
    for (int i = 0; i < 100'000; ++i) value = Value::list({value});
    EXPECT_EQ(value.size(), 1U);
    value = Value();
    EXPECT_TRUE(value.is_none());
}

TEST(PickleHostile, ManyValuesMakeOneListInLinearTime) {
    const std::vector<Value> texts(100'000, Value("shared"));
    EXPECT_EQ(Value::list(texts).size(), 100'000U);
    std::vector<Value> own;
    for (int i = 0; i < 100'000; ++i) own.emplace_back("own");
    own.insert(own.end(), own.begin(), own.end());
    EXPECT_EQ(Value::list(own).at(-1), Value("own"));
}

struct Counted {
    Counted() { ++alive; }
    Counted(const Counted& other) : next(other.next), number(other.number) { ++alive; }
    Counted& operator=(const Counted&) = default;
    ~Counted() { --alive; }
    std::shared_ptr<Counted> next;
    int number = 0;
    static inline int alive = 0;
};
template <class Archive>
void serialize(Archive& archive, Counted& c) {
    archive(pickle::field("next", c.next), pickle::field("number", c.number));
}

TEST(PickleHostile, CirclesDoNotOutliveAReadThatFailed) {
    // {'next': itself, 'number': 5}, and then with a number that is none.
    const std::string head = kStart + "}\x94(\x8c\x04next" + get(0) + "\x8c\x06number";
    {
        auto whole = pickle::loads<std::shared_ptr<Counted>>(head + "K\x05u.");
        EXPECT_EQ(whole->next, whole);
        EXPECT_EQ(Counted::alive, 1);
        whole->next.reset();
    }
    EXPECT_EQ(Counted::alive, 0);
    expect_refusal(refusal_of<std::shared_ptr<Counted>>(head + "Nu."), "expected an int");
    EXPECT_EQ(Counted::alive, 0);
    EXPECT_TRUE(pickle::loads(head + "K\x05u.").is<std::shared_ptr<Counted>>());
    EXPECT_EQ(Counted::alive, 0);
    expect_refusal(refusal_of<std::shared_ptr<Counted>>(head + "K\x05u.", {.allow_cycles = false}),
                   "an object that holds itself");
    EXPECT_EQ(Counted::alive, 0);
    // Shared without a circle is no matter.
    EXPECT_EQ(refusal_of<std::vector<std::shared_ptr<Counted>>>(
                  kStart + "](}\x94\x8c\x06numberK\x05s" + get(0) + "e.", {.allow_cycles = false}),
              "accepted");
    EXPECT_EQ(Counted::alive, 0);
}

TEST(PickleHostile, WhatDoesNotFitIsPutIntoWordsOnce) {
    // A tuple with a number of many digits, for which no alternative fits, many times.
    const std::string big = "\x8b\x98\x0f\x00\x00"s + std::string(3992, '\x7f');
    const std::string wire = kStart + "](" + big + "\x85\x94" + repeated(get(0), 200'000) + "e.";
    using Either = std::variant<std::tuple<int, int>, std::vector<Value>>;
    EXPECT_EQ(pickle::loads<std::vector<Either>>(wire).size(), 200'001U);
}

TEST(PickleHostile, NamesInMessagesAreCutAndHarmless) {
    const std::string name = "\x1b[31m" + std::string(100'000, 'n');
    const std::string wire = kStart + text("m") + text(name) + "\x93)R.";
    const std::string refusal = refusal_of<int>(wire);
    EXPECT_LT(refusal.size(), 1000U);
    EXPECT_EQ(refusal.find('\x1b'), std::string::npos);
    expect_refusal(refusal, "m.\\x1b[31mnnn");
}

}  // namespace
