// Where two readers could disagree: the short way and the machine, Weft and Python. What Python
// makes of the same bytes was tried with Python 3.11 and is in the expectations.

#include <weft/pickle.hpp>

#include <cmath>
#include <memory>
#include <span>
#include <string>
#include <tuple>
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

struct Tree {
    std::string label;
    std::vector<Tree> children;
};

struct Pair {
    int first = 0;
    int second = 0;
    bool operator==(const Pair&) const = default;
};

TEST(PickleAgreement, AReferenceToATupleIsNotItsFirstText) {
    // ('a', [('b', []), (('b', []), [])])
    const std::string wire = kStart +
                             "\x8c\x01"
                             "a](\x8c\x01"
                             "b]\x86\x94" +
                             get(0) +
                             "]\x86"
                             "e\x86.";
    EXPECT_EQ(pickle::loads(wire).repr(), "('a', [('b', []), (('b', []), [])])");
    EXPECT_THROW(pickle::loads<Tree>(wire), UnpicklingError);
    // A reference to the text itself is it.
    const std::string fine = kStart +
                             "\x8c\x01"
                             "a\x94](\x8c\x01"
                             "b]\x86\x94" +
                             get(0) +
                             "]\x86"
                             "e\x86.";
    EXPECT_EQ(pickle::loads<Tree>(fine).children.at(1).label, "a");
    // An array begins with the text of its module.
    const std::string array =
        "\x8c\x05"
        "array\x8c\x05"
        "array\x93\x8c\x01"
        "iC\x04\x01\x00\x00\x00\x86R\x94"s;
    using Read = std::vector<std::tuple<std::vector<int>, std::string>>;
    EXPECT_THROW(pickle::loads<Read>(kStart + "](" + array + get(0) +
                                     "\x86"
                                     "e."),
                 UnpicklingError);
}

TEST(PickleAgreement, AReferenceToAModuleIsNotAClassInIt) {
    pickle::register_class<Pair>("m.Pair");
    const std::string first =
        "\x8c\x01m\x94\x8c\x04"
        "Pair\x93\x94K\x01K\x02\x86R";
    const std::string again = "K\x03K\x04\x86R";
    EXPECT_EQ(pickle::loads<std::vector<Pair>>(kStart + "](" + first + get(1) + again + "e."),
              (std::vector<Pair>{{1, 2}, {3, 4}}));
    EXPECT_THROW(pickle::loads<std::vector<Pair>>(kStart + "](" + first + get(0) + again + "e."),
                 UnpicklingError);
    // And the class no text.
    using Read = std::vector<std::tuple<Pair, std::string>>;
    EXPECT_THROW(pickle::loads<Read>(kStart + "](" + first + get(1) +
                                     "\x86"
                                     "e."),
                 UnpicklingError);
    EXPECT_EQ(std::get<1>(pickle::loads<Read>(kStart + "](" + first + get(0) +
                                              "\x86"
                                              "e.")
                              .at(0)),
              "m");
}

std::string object_with(const std::string& state) {
    return get(0) + ")\x81}\x8c\x01x" + state + "sb";
}

TEST(PickleAgreement, ObjectsAsKeysAreOneOnlyWhenTheyAreTheSame) {
    // {Foo([1]), Foo([1])}, {Foo(1), Foo(1)} with a __eq__ that is Python's own, and few of them.
    for (const std::string state : {"]K\x01"
                                    "a",
                                    "K\x01"}) {
        const std::string set =
            kStart + kClass + "\x8f(" + object_with(state) + object_with(state) + "\x90.";
        const Value read = pickle::loads(set);
        EXPECT_EQ(read.size(), 2U);
        EXPECT_EQ(pickle::loads(pickle::dumps(read)).size(), 2U);
        EXPECT_TRUE(read == pickle::loads(set));
        const Value dict = pickle::loads(kStart + kClass + "}(" + object_with(state) + "K\x05" +
                                         object_with(state) + "K\x06u.");
        EXPECT_EQ(dict.size(), 2U);
        EXPECT_EQ(dict.values().at(0), Value(5));
        EXPECT_EQ(dict.values().at(1), Value(6));
    }
    // The same object twice is one.
    EXPECT_EQ(
        pickle::loads(kStart + kClass + "\x8f(" + get(0) + ")R\x94" + get(1) + "\x90.").size(), 1U);
}

TEST(PickleAgreement, ObjectsAsKeysAreFoundByTheirParts) {
    for (const unsigned count : {3U, 40U}) {
        std::string wire = kStart + kClass + "}(";
        for (unsigned i = 0; i < count; ++i) {
            const auto number = static_cast<char>(i);
            wire += get(0) + "K" + number + "\x85RK" + number;
        }
        const Value dict = pickle::loads(wire + "u.");
        ASSERT_EQ(dict.size(), count);
        const auto key = [](int i) {
            return Value::object(Value::global("m", "C"), Value::tuple({i}));
        };
        EXPECT_EQ(dict.at(key(2)), Value(2));
        EXPECT_FALSE(dict.contains(key(77)));
        EXPECT_FALSE(dict.contains(Value::object(Value::global("m", "D"), Value::tuple({2}))));
        EXPECT_TRUE(dict == pickle::loads(wire + "u."));
        EXPECT_EQ(dict.at(dict.items().at(1)), Value(1));
    }
    // Each of equal ones counts once: {C(1), C(1)} is not {C(1), C(2)}.
    const auto set_of = [](const std::string& first, const std::string& second) {
        return pickle::loads(kStart + kClass + "\x8f(" + get(0) + "K" + first + "\x85R" + get(0) +
                             "K" + second + "\x85R\x90.");
    };
    EXPECT_TRUE(set_of("\x01", "\x02") == set_of("\x02", "\x01"));
    EXPECT_FALSE(set_of("\x01", "\x01") == set_of("\x01", "\x02"));
    EXPECT_FALSE(set_of("\x01", "\x02") == set_of("\x01", "\x01"));
    EXPECT_TRUE(set_of("\x01", "\x01") == set_of("\x01", "\x01"));
}

TEST(PickleAgreement, DatesAndFractionsAreKeysByTheirParts) {
    const auto date = [](const char* raw) {
        return Value::object(Value::global("datetime", "date"),
                             Value::tuple({weft::bytes{std::byte(raw[0]), std::byte(raw[1])}}));
    };
    EXPECT_EQ(Value::set({date("ab"), date("ab"), date("ac")}).size(), 2U);
    std::vector<std::pair<Value, Value>> entries;
    for (char i = 'a'; i < 'z'; ++i) {
        const char raw[] = {'a', i};
        entries.emplace_back(date(raw), int{i});
    }
    EXPECT_EQ(Value::dict(entries).at(date("ax")), Value(int{'x'}));
    const auto decimal = [](const char* digits) {
        return Value::object(Value::global("decimal", "Decimal"), Value::tuple({digits}));
    };
    EXPECT_EQ(Value::set({decimal("1.5"), decimal("1.5"), decimal("2")}).size(), 2U);
    EXPECT_EQ(Value::set({decimal("NaN"), decimal("NaN")}).size(), 2U);
}

TEST(PickleAgreement, MemoizeTakesTheNumberOfThoseThatAreTaken) {
    // One number put twice is one: the next is 1.
    EXPECT_TRUE(pickle::loads(kStart + "Nq\x00q\x00\x94h\x01."s).is_none());
    EXPECT_EQ(pickle::loads(kStart + "K\x05q\x01q\x00\x94h\x02."s).get<int>(), 5);
    EXPECT_EQ(pickle::loads(kStart + "K\x05q\x01"
                                     "0K\x06q\x00"
                                     "0K\x07\x94h\x01."s)
                  .get<int>(),
              5);
}

TEST(PickleAgreement, ATupleThatHoldsItselfTwiceIsWrittenAgain) {
    // t = ([], []); t[0].append(t); t[1].append(t)
    const std::string wire = kStart +
                             "]\x94h\x00]\x94h\x00h\x01\x86\x94"
                             "a00h\x02"
                             "ah\x01"
                             "00h\x02."s;
    const Value tuple = pickle::loads(wire);
    EXPECT_EQ(tuple.repr(), "([...], [...])");
    const Value again = pickle::loads(pickle::dumps(tuple));
    EXPECT_EQ(again.repr(), tuple.repr());
    EXPECT_TRUE(again == tuple);
}

TEST(PickleAgreement, AnArrayIsOfTheTypeThatItsFormatSays) {
    const auto rebuilt = [](char letter, char format) {
        return pickle::loads(kStart + "carray\n_array_reconstructor\n(carray\narray\n\x8c\x01" +
                             letter + "K" + format + "C\x08\x01\x00\x00\x00\x00\x00\x00\x00tR."s)
            .repr();
    };
    EXPECT_EQ(rebuilt('f', 8), "array('i', [1, 0])");
    EXPECT_EQ(rebuilt('I', 8), "array('i', [1, 0])");
    EXPECT_EQ(rebuilt('i', 8), "array('i', [1, 0])");
    EXPECT_EQ(rebuilt('l', 12), "array('l', [1])");
    EXPECT_EQ(rebuilt('q', 12), "array('q', [1])");
    EXPECT_EQ(rebuilt('d', 12), "array('q', [1])");
}

TEST(PickleAgreement, FloatsOutOfRangeGoWhereTheyBelong) {
    const auto read = [](const std::string& digits) {
        return pickle::loads("F" + digits + "\n.").get<double>();
    };
    const std::string zeros(400, '0');
    for (const std::string& tiny : {"1E-400"s, "0." + zeros + "1", "123e-500"s, zeros + "1e-700"}) {
        EXPECT_EQ(read(tiny), 0.0) << tiny;
        EXPECT_FALSE(std::signbit(read(tiny))) << tiny;
        EXPECT_TRUE(std::signbit(read("-" + tiny))) << tiny;
    }
    for (const std::string& large :
         {"1e400"s, "1" + zeros + "e-5", "1" + zeros, "0.1E+500"s, "1e99999999999999999999"s}) {
        EXPECT_EQ(read(large), HUGE_VAL) << large;
        EXPECT_EQ(read("-" + large), -HUGE_VAL) << large;
        EXPECT_EQ(read("+" + large), HUGE_VAL) << large;
    }
    EXPECT_EQ(read("1e-99999999999999999999"), 0.0);
    for (const std::string wrong : {"+-5", "-+5", "--5", "", "+", "-"}) {
        EXPECT_THROW(read(wrong), UnpicklingError) << wrong;
    }
}

struct Parts {
    int first = 0;
    int second = 0;
};

TEST(PickleAgreement, WhatAnAlternativeHalfReadIsReadAnew) {
    using Either =
        std::variant<std::vector<std::shared_ptr<Parts>>, std::tuple<std::shared_ptr<Parts>, int>>;
    // [(1, 'bad'), 5] is neither.
    const std::string bad = kStart +
                            "](K\x01\x8c\x03"
                            "bad\x86K\x05"
                            "e.";
    EXPECT_THROW(pickle::loads<Either>(bad), UnpicklingError);
    const std::string good = kStart +
                             "](K\x01K\x02\x86K\x05"
                             "e.";
    const auto read = pickle::loads<Either>(good);
    ASSERT_EQ(read.index(), 1U);
    EXPECT_EQ(std::get<0>(std::get<1>(read))->second, 2);
}

struct Refusing {};
template <class Archive>
void serialize(Archive& /*archive*/, Refusing& /*object*/) {
    throw std::runtime_error("not this one");
}

TEST(PickleAgreement, BuffersAreThoseOfThePickleOrNone) {
    const weft::bytes large(5000, std::byte{1});
    std::vector<std::span<const std::byte>> buffers;
    const weft::bytes wire = pickle::dumps(large, {.protocol = 5, .buffers = &buffers});
    ASSERT_EQ(buffers.size(), 1U);
    // What was put aside for a pickle that could not be made is taken back.
    const std::tuple<weft::bytes, Refusing> both{weft::bytes(6000, std::byte{2}), {}};
    EXPECT_THROW(pickle::dumps(both, {.protocol = 5, .buffers = &buffers}), std::runtime_error);
    ASSERT_EQ(buffers.size(), 1U);
    EXPECT_EQ(buffers[0].data(), large.data());
    EXPECT_EQ(pickle::loads<weft::bytes>(wire, {.buffers = buffers}), large);
    // More than are asked for are those of another pickle.
    buffers.insert(buffers.begin(), std::span(std::get<0>(both)));
    EXPECT_THROW(pickle::loads<weft::bytes>(wire, {.buffers = buffers}), UnpicklingError);
    EXPECT_THROW(pickle::loads(wire, {.buffers = buffers}), UnpicklingError);
}

}  // namespace
