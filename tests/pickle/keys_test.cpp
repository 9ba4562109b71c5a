// The hashes of keys: equal keys have equal ones, and nobody can make others agree.

#include "pickle/keys.hpp"

#include <cmath>
#include <cstdint>
#include <limits>
#include <set>
#include <string>

#include <gtest/gtest.h>

#include <weft/pickle.hpp>

#include "pickle/node.hpp"

namespace {

namespace pickle = weft::pickle;
using pickle::Value;
using pickle::detail::Work;

std::uint64_t hash_of(const Value& value) {
    Work work(1000);
    return *pickle::detail::hash_of(pickle::detail::ValueAccess::item(value), work);
}

Value bytes_of(const std::string& text) {
    const auto* first = reinterpret_cast<const std::byte*>(text.data());
    return {weft::bytes(first, first + text.size())};
}

TEST(PickleKeys, EqualOnesHaveEqualHashes) {
    EXPECT_EQ(hash_of(Value(1)), hash_of(Value(true)));
    EXPECT_EQ(hash_of(Value(1)), hash_of(Value(1.0)));
    EXPECT_EQ(hash_of(Value(0)), hash_of(Value(-0.0)));
    EXPECT_EQ(hash_of(Value::integer(std::string(8, '\0') + '\x01')), hash_of(Value(0x1p64)));
    EXPECT_EQ(hash_of(Value("text")), hash_of(Value("text")));
    EXPECT_EQ(hash_of(Value::tuple({1, "a"})), hash_of(Value::tuple({1.0, "a"})));
    EXPECT_EQ(hash_of(Value::frozenset({1, 2})), hash_of(Value::frozenset({2, 1})));
    EXPECT_EQ(hash_of(Value::global("m", "f")), hash_of(Value::global("m", "f")));
}

TEST(PickleKeys, DifferentOnesDiffer) {
    std::set<std::uint64_t> hashes;
    const Value values[] = {Value(),
                            Value(1),
                            Value(2),
                            Value(1.5),
                            Value("1"),
                            Value(""),
                            bytes_of("1"),
                            Value::tuple({}),
                            Value::tuple({1}),
                            Value::tuple({"1"}),
                            Value::tuple({1, 2}),
                            Value::tuple({2, 1}),
                            Value::frozenset({}),
                            Value::frozenset({1}),
                            Value::tuple({Value::tuple({})}),
                            Value::global("m", "f"),
                            Value::tuple({"m", "f"}),
                            Value("12345678"),
                            Value("123456781"),
                            Value("1234567"),
                            Value(std::string("1234567\0", 8)),
                            Value(std::nan("")),
                            Value(std::nan(""))};
    for (const Value& value : values) hashes.insert(hash_of(value));
    EXPECT_EQ(hashes.size(), std::size(values));
    // Nor does a list have one.
    Work work(1000);
    const Value list = Value::tuple({Value::list({})});
    for (int i = 0; i < 2; ++i) {
        EXPECT_FALSE(pickle::detail::hash_of(pickle::detail::ValueAccess::item(list), work));
    }
}

TEST(PickleKeys, AChangeThatAMultiplicationCarriesOffShows) {
    // The highest bit of a word, and what a multiplicative hash makes of it, in the next: a pair
    // that collides under every seed of a hash of multiplications and shifts.
    std::string one(32, 'x');
    std::string other = one;
    other[7] = static_cast<char>(other[7] ^ 0x80);
    other[15] = static_cast<char>(other[15] ^ 0x80);
    other[12] = static_cast<char>(other[12] ^ 0x04);
    EXPECT_NE(hash_of(bytes_of(one)), hash_of(bytes_of(other)));
}

TEST(PickleKeys, ObjectsSayThatTheyGoByIdentity) {
    const Value object = Value::object(Value::global("m", "C"), Value::tuple({1}));
    EXPECT_EQ(hash_of(object) & pickle::detail::kByIdentity, 1U);
    EXPECT_EQ(hash_of(Value::tuple({object})) & pickle::detail::kByIdentity, 1U);
    EXPECT_EQ(hash_of(Value::tuple({1})) & pickle::detail::kByIdentity, 0U);
    const Value date = Value::object(Value::global("datetime", "date"), Value::tuple({1}));
    EXPECT_EQ(hash_of(date) & pickle::detail::kByIdentity, 0U);
    EXPECT_EQ(hash_of(date),
              hash_of(Value::object(Value::global("datetime", "date"), Value::tuple({1}))));
}

TEST(PickleKeys, WorkIsCounted) {
    const Value text(std::string(1600, 'x'));
    Work little(50);
    EXPECT_THROW(pickle::detail::hash_of(pickle::detail::ValueAccess::item(text), little),
                 pickle::PickleError);
    Work enough(102);
    EXPECT_TRUE(pickle::detail::hash_of(pickle::detail::ValueAccess::item(text), enough));
    EXPECT_THROW(enough.spend(1), pickle::PickleError);
}

}  // namespace
