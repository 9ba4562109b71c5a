// Value: what it shows, compares, and turns into.

#include <weft/pickle.hpp>

#include <cmath>
#include <cstdint>
#include <list>
#include <map>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace {

namespace pickle = weft::pickle;
using pickle::Kind;
using pickle::Value;
using namespace std::string_literals;

template <class T>
Value loaded(const T& value) {
    return pickle::loads(pickle::dumps(value));
}

Value loaded(std::string_view wire, int /*raw*/) {
    return pickle::loads(wire);
}

TEST(PickleValue, ShowsItselfAsPythonDoes) {
    EXPECT_EQ(Value().repr(), "None");
    EXPECT_EQ(Value(true).repr(), "True");
    EXPECT_EQ(Value(-5).repr(), "-5");
    EXPECT_EQ(Value(~0ULL).repr(), "18446744073709551615");
    EXPECT_EQ(Value(1.0).repr(), "1.0");
    EXPECT_EQ(Value(0.1).repr(), "0.1");
    EXPECT_EQ(Value(1e16).repr(), "1e+16");
    EXPECT_EQ(Value(123456789012345.0).repr(), "123456789012345.0");
    EXPECT_EQ(Value(1e-5).repr(), "1e-05");
    EXPECT_EQ(Value(-0.0).repr(), "-0.0");
    EXPECT_EQ(Value(HUGE_VAL).repr(), "inf");
    EXPECT_EQ(Value("it's").repr(), "\"it's\"");
    EXPECT_EQ(Value("both ' and \"").repr(), "'both \\' and \"'");
    EXPECT_EQ(Value("a\n\t\\\x01\x7f h\xc3\xa9").repr(), "'a\\n\\t\\\\\\x01\\x7f h\xc3\xa9'");
    EXPECT_EQ(Value("\xff").repr(), "'\\udcff'");
    EXPECT_EQ(Value(weft::bytes{std::byte{'a'}, std::byte{0xff}}).repr(), "b'a\\xff'");
    EXPECT_EQ(Value::bytearray("xy"s).repr(), "bytearray(b'xy')");
    EXPECT_EQ(Value::tuple({1, "two", 3.0}).repr(), "(1, 'two', 3.0)");
    EXPECT_EQ(Value::tuple({1}).repr(), "(1,)");
    EXPECT_EQ(Value::tuple({}).repr(), "()");
    EXPECT_EQ(Value::list({1, nullptr}).repr(), "[1, None]");
    EXPECT_EQ(Value::dict({{"a", 1}, {2, Value::list({})}}).repr(), "{'a': 1, 2: []}");
    EXPECT_EQ(Value::set({1, 2}).repr(), "{1, 2}");
    EXPECT_EQ(Value::set({}).repr(), "set()");
    EXPECT_EQ(Value::frozenset({1}).repr(), "frozenset({1})");
    EXPECT_EQ(Value::frozenset({}).repr(), "frozenset()");
    EXPECT_EQ(loaded(std::vector<double>{1, 2.5}).repr(), "array('d', [1.0, 2.5])");
    EXPECT_EQ(loaded(std::vector<std::uint64_t>{~0ULL}).repr(),
              "array('Q', [18446744073709551615])");
    EXPECT_EQ(Value::object(Value::global("a.b", "C"), Value::tuple({1})).repr(), "a.b.C(1)");
    EXPECT_EQ(Value::global("a", "f").repr(), "<a.f>");
}

TEST(PickleValue, ShowsWhatHoldsItselfAndStopsInTime) {
    EXPECT_EQ(loaded("\x80\x04]\x94h\x00"s
                     "a."s,
                     0)
                  .repr(),
              "[[...]]");
    EXPECT_EQ(loaded("\x80\x04}\x94K\x01h\x00s."s, 0).repr(), "{1: {...}}");
    EXPECT_EQ(Value(std::string(100, 'x')).repr(10), "'xxxxxxxxx...");
    EXPECT_EQ(Value("\xc3\xa9\xc3\xa9\xc3\xa9").repr(4), "'\xc3\xa9...");
    // (x, x) in itself thirty times would have a thousand million parts.
    std::string wire = "\x80\x04)";
    for (int i = 0; i < 30; ++i) wire += "2\x86";
    wire += '.';
    EXPECT_LT(loaded(wire, 0).repr(1000).size(), 1010U);
}

TEST(PickleValue, BigIntegers) {
    std::string raw(9, '\0');
    raw[8] = 1;
    EXPECT_EQ(Value::integer(raw).repr(), "18446744073709551616");
    EXPECT_EQ(Value::integer("\xff\xff"s).repr(), "-1");
    EXPECT_EQ(Value::integer("\xff\xff"s), Value(-1));
    EXPECT_EQ(Value::integer(raw), Value(0x1p64));
    EXPECT_NE(Value::integer(raw), Value(0x1p65));
    EXPECT_EQ(Value::integer(raw).get<double>(), 0x1p64);
    EXPECT_THROW(static_cast<void>(Value::integer(raw).get<std::uint64_t>()), weft::TypeError);
    EXPECT_EQ(loaded(Value::integer(raw)), Value::integer(raw));
    const std::string minus = std::string(20, '\0') + "\x80";
    EXPECT_EQ(Value::integer(minus).repr(), "-187072209578355573530071658587684226515959365500928");
    EXPECT_EQ(loaded(Value::integer(minus)), Value::integer(minus));
    const std::string huge(5000, '\x7f');
    EXPECT_EQ(Value::integer(huge).repr(8), "0x7f7f7f...");
    EXPECT_TRUE(std::isinf(Value::integer(huge).is<double>() ? 0.0 : HUGE_VAL));
    EXPECT_EQ(loaded(Value::integer(huge)), Value::integer(huge));
}

TEST(PickleValue, ComparesAsPythonDoes) {
    EXPECT_EQ(Value(1), Value(1.0));
    EXPECT_EQ(Value(1), Value(true));
    EXPECT_NE(Value(1), Value("1"));
    EXPECT_NE(Value(std::nan("")), Value(std::nan("")));
    EXPECT_EQ(Value((std::int64_t{1} << 53) + 1), Value((std::int64_t{1} << 53) + 1));
    EXPECT_NE(Value((std::int64_t{1} << 53) + 1), Value(0x1p53));
    EXPECT_NE(Value::list({1}), Value::tuple({1}));
    EXPECT_EQ(Value::list({1, Value::list({2})}), Value::list({1.0, Value::list({2})}));
    EXPECT_EQ(Value::dict({{1, "a"}, {2, "b"}}), Value::dict({{2, "b"}, {1, "a"}}));
    EXPECT_NE(Value::dict({{1, "a"}}), Value::dict({{1, "b"}}));
    EXPECT_NE(Value::dict({{1, "a"}}), Value::dict({{2, "a"}}));
    EXPECT_EQ(Value::set({1, 2}), Value::frozenset({2, 1}));
    EXPECT_NE(Value::set({1, 2}), Value::set({1, 3}));
    EXPECT_EQ(Value::bytearray("x"s), Value(weft::bytes{std::byte{'x'}}));
    EXPECT_EQ(loaded(std::vector<int>{1, 2}), loaded(std::vector<double>{1, 2}));
    EXPECT_NE(loaded(std::vector<int>{1, 2}), loaded(std::vector<int>{1, 3}));
    const Value a = Value::object(Value::global("m", "C"), Value::tuple({1}));
    EXPECT_EQ(a, Value::object(Value::global("m", "C"), Value::tuple({1})));
    EXPECT_NE(a, Value::object(Value::global("m", "D"), Value::tuple({1})));
    EXPECT_NE(a,
              Value::object(Value::global("m", "C"), Value::tuple({1}), Value::dict({{"x", 1}})));
}

TEST(PickleValue, ComparingSharedPartsTakesTimeForEachOnce) {
    std::string wire = "\x80\x04)";
    for (int i = 0; i < 60; ++i) wire += "2\x86";
    wire += '.';
    EXPECT_EQ(loaded(wire, 0), loaded(wire, 0));
    const std::string loop =
        "\x80\x04]\x94h\x00"s
        "a."s;
    EXPECT_EQ(loaded(loop, 0), loaded(loop, 0));
}

TEST(PickleValue, GivesItsParts) {
    const Value any = loaded(std::map<std::string, std::vector<std::string>>{{"a", {"x", "y"}}});
    EXPECT_EQ(any.kind(), Kind::dict);
    EXPECT_EQ(any.type_name(), "dict");
    EXPECT_EQ(any.size(), 1U);
    EXPECT_EQ(any.at("a").at(0), Value("x"));
    EXPECT_EQ(any.at("a").at(-1).get<std::string>(), "y");
    EXPECT_TRUE(any.contains("a"));
    EXPECT_FALSE(any.contains("b"));
    EXPECT_TRUE(any.at("a").contains("y"));
    EXPECT_THROW(static_cast<void>(any.at("b")), weft::KeyError);
    EXPECT_THROW(static_cast<void>(any.at("a").at(2)), std::out_of_range);
    EXPECT_THROW(static_cast<void>(any.at("a").at(-3)), std::out_of_range);
    EXPECT_THROW(static_cast<void>(any.at("a").at("x")), weft::TypeError);
    EXPECT_THROW(static_cast<void>(Value(5).at(0)), weft::TypeError);
    EXPECT_THROW(static_cast<void>(Value(5).size()), weft::TypeError);
    EXPECT_EQ(any.items(), std::vector<Value>{"a"});
    EXPECT_EQ(any.values().at(0).size(), 2U);
    EXPECT_EQ(any.entries().at(0).first, Value("a"));
    const Value numbers = loaded(std::vector<std::uint64_t>{1, ~0ULL});
    EXPECT_EQ(numbers.size(), 2U);
    EXPECT_EQ(numbers.at(1), Value(~0ULL));
    EXPECT_EQ(numbers.items().at(1), Value(~0ULL));
    EXPECT_EQ(numbers.get<std::vector<Value>>().at(1), Value(~0ULL));
    EXPECT_EQ(Value("abc").size(), 3U);
    EXPECT_EQ(Value::bytearray("ab"s).size(), 2U);
}

TEST(PickleValue, KeysOfManyKindsAreFound) {
    std::vector<std::pair<Value, Value>> entries;
    for (int i = 0; i < 1000; ++i) {
        entries.emplace_back(i, i);
        entries.emplace_back(std::to_string(i), i);
        entries.emplace_back(Value::tuple({i, "x"}), i);
        entries.emplace_back(Value::frozenset({i, -1}), i);
        entries.emplace_back(i + 0.5, i);
    }
    const Value dict = Value::dict(entries);
    EXPECT_EQ(dict.size(), 5000U);
    const Value copy = loaded(dict);
    EXPECT_EQ(copy, dict);
    for (int i = 0; i < 1000; i += 7) {
        EXPECT_EQ(copy.at(i), Value(i));
        EXPECT_EQ(copy.at(static_cast<double>(i)), Value(i));
        EXPECT_EQ(copy.at(std::to_string(i)), Value(i));
        EXPECT_EQ(copy.at(Value::tuple({i, "x"})), Value(i));
        EXPECT_EQ(copy.at(Value::frozenset({-1, i})), Value(i));
        EXPECT_EQ(copy.at(i + 0.5), Value(i));
    }
    EXPECT_FALSE(copy.contains(Value::list({})));
    EXPECT_FALSE(copy.contains("1000"));
}

TEST(PickleValue, EqualKeysAreOneEntry) {
    const Value dict = Value::dict({{1, "a"}, {true, "b"}, {1.0, "c"}});
    EXPECT_EQ(dict.repr(), "{1: 'c'}");
    EXPECT_EQ(Value::set({1, true, 2}).repr(), "{1, 2}");
    EXPECT_THROW(static_cast<void>(Value::dict({{Value::list({}), 1}})), weft::TypeError);
    EXPECT_THROW(static_cast<void>(Value::set({Value::tuple({Value::dict({})})})), weft::TypeError);
}

TEST(PickleValue, ObjectsAreKeptAndWrittenAgain) {
    const Value object =
        Value::object(Value::global("m", "C"), Value::tuple({1, "x"}), Value::dict({{"size", 5}}));
    const Value copy = loaded(object);
    EXPECT_EQ(copy, object);
    EXPECT_EQ(copy.kind(), Kind::object);
    EXPECT_EQ(copy.type_name(), "m.C");
    EXPECT_EQ(copy.module_name(), "m");
    EXPECT_EQ(copy.qualified_name(), "C");
    EXPECT_EQ(copy.args(), Value::tuple({1, "x"}));
    EXPECT_TRUE(copy.kwargs().is_none());
    EXPECT_EQ(copy.state().at("size"), Value(5));
    EXPECT_EQ(copy.at("size"), Value(5));
    EXPECT_TRUE(copy.contains("size"));
    EXPECT_THROW(static_cast<void>(copy.at("weight")), weft::KeyError);
    EXPECT_EQ(copy.callable(), Value::global("m", "C"));
    EXPECT_TRUE(copy.appended().empty());
    EXPECT_TRUE(copy.entries().empty());
    EXPECT_THROW(static_cast<void>(Value(5).args()), weft::TypeError);
    EXPECT_THROW(static_cast<void>(Value::object(5, Value::tuple({}))), weft::TypeError);
}

TEST(PickleValue, TurnsIntoWhatFitsAndSaysWhatDoesNot) {
    EXPECT_TRUE(Value(5).is<int>());
    EXPECT_TRUE(Value(5).is<double>());
    EXPECT_FALSE(Value(5.0).is<int>());
    EXPECT_FALSE(Value(300).is<std::uint8_t>());
    EXPECT_FALSE(Value("x").is<weft::bytes>());
    EXPECT_TRUE(Value::list({1, 2}).is<std::vector<int>>());
    EXPECT_FALSE(Value::list({1, "x"}).is<std::vector<int>>());
    try {
        static_cast<void>(Value::list({1, "x"}).get<std::vector<int>>());
        FAIL();
    } catch (const weft::TypeError& error) {
        EXPECT_STREQ(error.what(), "expected an int, found str 'x'");
    }
    EXPECT_EQ(Value::of(std::vector<std::string>{"a"}), Value::list({"a"}));
}

TEST(PickleValue, TakesPartInOtherTypes) {
    const std::map<std::string, Value> mixed{{"a", 1}, {"b", Value::list({2, "c"})}};
    EXPECT_EQ((pickle::loads<std::map<std::string, Value>>(pickle::dumps(mixed))), mixed);
    EXPECT_EQ(pickle::loads<Value>(pickle::dumps(mixed)).at("b").at(1), Value("c"));
    EXPECT_EQ(pickle::loads<std::vector<Value>>(pickle::dumps(std::list<std::string>{"x"})),
              std::vector<Value>{"x"});
}

TEST(PickleValue, PartsOutliveTheWhole) {
    Value part;
    {
        const Value whole = loaded(std::vector<std::vector<std::string>>{{"deep inside", "b"}});
        part = whole.at(0).at(0);
    }
    EXPECT_EQ(part, Value("deep inside"));
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
        threads.emplace_back([part] {
            for (int k = 0; k < 1000; ++k) {
                const Value copy = part;
                ASSERT_EQ(Value::list({copy, k}).at(0), copy);
            }
        });
    }
    for (std::thread& thread : threads) thread.join();
}

TEST(PickleValue, SharedPartsStayShared) {
    // [a, a] with one list a, and a list that holds itself through a tuple.
    for (const std::string& wire : {"\x80\x04](]\x94K\x01"s
                                    "ah\x00"s
                                    "e."s,
                                    "\x80\x04]\x94h\x00\x85\x94"s
                                    "a."s}) {
        const Value value = loaded(wire, 0);
        for (int protocol = 2; protocol <= 5; ++protocol) {
            const weft::bytes again = pickle::dumps(value, {.protocol = protocol});
            EXPECT_EQ(pickle::loads(again).repr(), value.repr());
            EXPECT_EQ(pickle::dumps(pickle::loads(again), {.protocol = protocol}), again);
        }
    }
    // A text met twice is not written twice.
    const Value texts = loaded(
        "\x80\x04]\x94(\x8c\x0a"s
        "0123456789\x94h\x01h\x01h\x01"s
        "e."s,
        0);
    EXPECT_LT(pickle::dumps(texts).size(), 30U);
    EXPECT_EQ(loaded(texts), texts);
}

}  // namespace
