// Every type that travels by itself comes back as it was: by the short way and by the machine, in
// every protocol.

#include <weft/pickle.hpp>

#include <array>
#include <chrono>
#include <cmath>
#include <complex>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <limits>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <unordered_set>
#include <variant>
#include <vector>

#include <gtest/gtest.h>

namespace {

namespace pickle = weft::pickle;
using namespace std::chrono_literals;
using namespace std::string_literals;

struct Job {
    int id = 0;
    std::string name;
    bool operator==(const Job&) const = default;
};

enum class Colour : std::uint8_t { red = 1, violet = 200 };

struct Everything {
    bool flag = false;
    std::int8_t tiny = 0;
    std::uint64_t huge = 0;
    double real = 0;
    Colour colour = Colour::red;
    std::optional<Job> job;
    std::vector<Job> jobs;
    std::map<std::string, std::vector<int>> table;
    std::variant<int, std::string> either;
    std::pair<int, std::array<std::string, 2>> pair;
    std::vector<double> numbers;
    std::chrono::milliseconds wait{};
    bool operator==(const Everything&) const = default;
};

struct Empty {
    bool operator==(const Empty&) const = default;
};

struct Tree {
    int value = 0;
    std::vector<Tree> children;
    bool operator==(const Tree&) const = default;
};

/// The short way alone: nothing if it gives up.
template <class T>
std::optional<T> load_short(const weft::bytes& wire) {
    pickle::detail::WireSource source(wire, {});
    T object{};
    if (!source.begin() || !pickle::detail::CodecOf<T>::load(source, object) || !source.end()) {
        return std::nullopt;
    }
    return object;
}

template <class T>
void expect_round_trip(const T& value) {
    for (int protocol = 2; protocol <= 5; ++protocol) {
        SCOPED_TRACE(protocol);
        const weft::bytes wire = pickle::dumps(value, {.protocol = protocol});
        EXPECT_TRUE(pickle::loads<T>(wire) == value);
        EXPECT_TRUE(pickle::loads(wire).get<T>() == value);
        EXPECT_TRUE(pickle::loads(wire).is<T>());
    }
}

/// And that nothing about the value is unusual, so that it is read the short way.
template <class T>
void expect_short_round_trip(const T& value) {
    expect_round_trip(value);
    for (int protocol = 4; protocol <= 5; ++protocol) {
        const auto read = load_short<T>(pickle::dumps(value, {.protocol = protocol}));
        ASSERT_TRUE(read.has_value());
        EXPECT_TRUE(*read == value);
    }
}

template <class T>
void expect_limits() {
    expect_short_round_trip((std::numeric_limits<T>::min)());
    expect_short_round_trip((std::numeric_limits<T>::max)());
    expect_short_round_trip(T{0});
    expect_short_round_trip(static_cast<T>(-1));
}

TEST(PickleRoundTrip, Integers) {
    expect_limits<std::int8_t>();
    expect_limits<std::uint8_t>();
    expect_limits<std::int16_t>();
    expect_limits<std::uint16_t>();
    expect_limits<std::int32_t>();
    expect_limits<std::uint32_t>();
    expect_limits<std::int64_t>();
    expect_limits<std::uint64_t>();
    for (int bit = 0; bit < 63; ++bit) {
        const std::int64_t power = std::int64_t{1} << bit;
        for (const std::int64_t near : {power - 1, power, power + 1}) {
            expect_short_round_trip(near);
            expect_short_round_trip(-near);
        }
    }
}

TEST(PickleRoundTrip, IntegersOf128Bits) {
    using weft::detail::Int128;
    using weft::detail::UInt128;
    for (int bit = 0; bit < 127; ++bit) {
        const Int128 power = Int128{1} << bit;
        expect_round_trip(power);
        expect_round_trip(static_cast<Int128>(-power));
        expect_round_trip(static_cast<Int128>(power - 1));
        expect_round_trip(static_cast<UInt128>(power));
    }
    expect_round_trip(static_cast<UInt128>(~UInt128{0}));
    expect_round_trip(static_cast<Int128>(Int128{1} << 127));
    EXPECT_THROW(pickle::loads<UInt128>(pickle::dumps(-1)), pickle::UnpicklingError);
    EXPECT_THROW(pickle::loads<Int128>(pickle::dumps(~UInt128{0})), pickle::UnpicklingError);
}

TEST(PickleRoundTrip, BooleansFloatsEnums) {
    expect_short_round_trip(true);
    expect_short_round_trip(false);
    for (const double value : {0.0, -0.0, 1.5, -1e300, 5e-324, HUGE_VAL, -HUGE_VAL}) {
        expect_short_round_trip(value);
        EXPECT_EQ(std::signbit(pickle::loads<double>(pickle::dumps(value))), std::signbit(value));
    }
    EXPECT_TRUE(std::isnan(pickle::loads<double>(pickle::dumps(std::nan("")))));
    expect_short_round_trip(1.25F);
    expect_short_round_trip(Colour::violet);
    expect_short_round_trip(std::byte{200});
}

TEST(PickleRoundTrip, Characters) {
    for (int code = -128; code < 128; ++code) expect_short_round_trip(static_cast<char>(code));
    for (const char32_t code :
         {U'\0', U'a', U'\x7f', U'\x80', U'\x7ff', U'\x800', U'\xffff', U'\x10000', U'\x10ffff'}) {
        expect_short_round_trip(code);
    }
    expect_short_round_trip(u'\xfffd');
    EXPECT_THROW(pickle::loads<char>(pickle::dumps("ab")), pickle::UnpicklingError);
    EXPECT_THROW(pickle::loads<char>(pickle::dumps("")), pickle::UnpicklingError);
    EXPECT_THROW(pickle::loads<char16_t>(pickle::dumps(U'\x10000')), pickle::UnpicklingError);
}

TEST(PickleRoundTrip, TextOfAnyBytes) {
    expect_short_round_trip(""s);
    expect_short_round_trip("plain"s);
    expect_short_round_trip("nul\0inside"s);
    expect_short_round_trip("h\xc3\xa9llo \xe2\x82\xac \xf0\x9f\x98\x80"s);
    for (int first = 0; first < 256; ++first) {
        for (int second = 0; second < 256; second += 5) {
            const std::string text{'x', static_cast<char>(first), static_cast<char>(second)};
            ASSERT_EQ(pickle::loads<std::string>(pickle::dumps(text)), text);
            ASSERT_EQ(pickle::loads(pickle::dumps(text)).get<std::string>(), text);
        }
    }
    expect_short_round_trip("\xed\xb2\x80 an escape's own bytes"s);
    expect_short_round_trip("\xed\xa0\x80\xf4\x90\x80\x80\xc0\xaf"s);
    for (const std::size_t size : {7U, 8U, 9U, 255U, 256U, 1023U, 1024U, 70000U}) {
        expect_short_round_trip(std::string(size, 'a'));
        expect_short_round_trip(std::string(size - 1, 'a') + "\xff");
    }
}

TEST(PickleRoundTrip, TextFromViewsAndLiterals) {
    EXPECT_EQ(pickle::loads<std::string>(pickle::dumps("literal")), "literal");
    EXPECT_EQ(pickle::loads<std::string>(pickle::dumps(std::string_view("view"))), "view");
    const char* pointer = "pointer";
    EXPECT_EQ(pickle::loads<std::string>(pickle::dumps(pointer)), "pointer");
}

TEST(PickleRoundTrip, Bytes) {
    for (const std::size_t size : {0U, 1U, 255U, 256U, 2000U, 70000U}) {
        weft::bytes value(size);
        for (std::size_t i = 0; i < size; ++i) value[i] = static_cast<std::byte>(i * 7);
        expect_round_trip(value);
        EXPECT_TRUE(load_short<weft::bytes>(pickle::dumps(value)).has_value());
    }
}

template <class Number>
void expect_numbers() {
    std::vector<Number> numbers;
    expect_round_trip(numbers);
    for (int i = 0; i < 300; ++i) numbers.push_back(static_cast<Number>(i * 997 - 40000));
    numbers.push_back((std::numeric_limits<Number>::max)());
    numbers.push_back(std::numeric_limits<Number>::lowest());
    expect_round_trip(numbers);
    EXPECT_TRUE(load_short<std::vector<Number>>(pickle::dumps(numbers)).has_value());
    EXPECT_EQ(pickle::loads(pickle::dumps(numbers)).kind(), pickle::Kind::array);
    expect_round_trip(std::array<Number, 3>{Number{1}, Number{2}, Number{3}});
    // As a list of numbers, too, and from a list of values.
    std::list<Number> list(numbers.begin(), numbers.end());
    EXPECT_EQ(pickle::loads<std::vector<Number>>(pickle::dumps(list)), numbers);
    EXPECT_EQ(pickle::loads<std::list<Number>>(pickle::dumps(numbers)), list);
}

TEST(PickleRoundTrip, NumbersInOnePiece) {
    expect_numbers<std::int8_t>();
    expect_numbers<std::uint8_t>();
    expect_numbers<std::int16_t>();
    expect_numbers<std::uint16_t>();
    expect_numbers<std::int32_t>();
    expect_numbers<std::uint32_t>();
    expect_numbers<std::int64_t>();
    expect_numbers<std::uint64_t>();
    expect_numbers<float>();
    expect_numbers<double>();
    expect_round_trip(std::vector<char>{'a', '\xff'});
    expect_round_trip(std::vector<long>{1, -1});
    expect_round_trip(std::vector<unsigned long long>{1, ~0ULL});
    expect_short_round_trip(std::vector<bool>{true, false, true});
}

TEST(PickleRoundTrip, Containers) {
    expect_short_round_trip(std::vector<std::string>{});
    expect_short_round_trip(std::vector<std::string>{"one"});
    expect_short_round_trip(std::vector<std::string>(3000, "many"));
    expect_short_round_trip(std::list<std::string>{"a", "b"});
    expect_short_round_trip(std::deque<int>{1, 2, 3});
    expect_short_round_trip(std::map<int, std::string>{{1, "a"}, {2, "b"}});
    expect_short_round_trip(std::unordered_map<std::string, double>{{"x", 1}, {"y", 2}});
    expect_short_round_trip(std::map<int, int>{});
    expect_round_trip(std::set<std::string>{"a", "b", "c"});
    expect_round_trip(std::unordered_set<int>{1, 2, 3});
    expect_round_trip(std::set<std::pair<int, std::string>>{{1, "a"}, {2, "b"}});
    expect_short_round_trip(
        std::vector<std::vector<std::vector<std::string>>>{{}, {{}, {"x"}}, {}});
}

TEST(PickleRoundTrip, WhatFollowsAnEmptyOrFullContainer) {
    // A mark behind a container may open its next items or what stands behind it.
    using Row = std::tuple<std::vector<std::string>, std::tuple<std::string, int, int, int>>;
    expect_short_round_trip(Row{{}, {"a", 1, 2, 3}});
    expect_short_round_trip(Row{{"x"}, {"a", 1, 2, 3}});
    using Table = std::tuple<std::map<std::string, int>, std::tuple<int, int, int, int>>;
    expect_short_round_trip(Table{{}, {1, 2, 3, 4}});
    expect_short_round_trip(Table{{{"k", 1}}, {1, 2, 3, 4}});
    using Strings = std::tuple<std::string, std::string, std::string, std::string>;
    expect_round_trip(std::tuple<std::vector<std::string>, Strings>{{}, {"a", "b", "c", "d"}});
    expect_round_trip(std::tuple<std::vector<std::string>, Strings>{{"z"}, {"a", "b", "c", "d"}});
    expect_round_trip(std::tuple<std::set<std::string>, Strings>{{}, {"a", "b", "c", "d"}});
    using Deep = std::tuple<std::vector<std::vector<Strings>>, Strings>;
    expect_round_trip(Deep{{{}, {{"a", "b", "c", "d"}}}, {"a", "b", "c", "d"}});
}

TEST(PickleRoundTrip, TuplesOfEveryLength) {
    expect_short_round_trip(std::tuple<>());
    expect_short_round_trip(std::tuple(1));
    expect_short_round_trip(std::tuple(1, "a"s));
    expect_short_round_trip(std::pair(1, 2.5));
    expect_short_round_trip(std::tuple(1, 2, 3));
    expect_short_round_trip(std::tuple(1, 2, 3, 4));
    expect_short_round_trip(std::tuple(1, std::tuple(2, std::tuple(3, std::tuple()))));
    expect_short_round_trip(std::array<std::string, 2>{"a", "b"});
    expect_short_round_trip(std::array<std::string, 5>{"a", "b", "c", "d", "e"});
}

TEST(PickleRoundTrip, PlainStructs) {
    expect_short_round_trip(Job{7, "seven"});
    expect_short_round_trip(Empty{});
    expect_short_round_trip(std::vector<Job>{{1, "a"}, {2, "b"}});
    expect_short_round_trip(Tree{1, {{2, {}}, {3, {{4, {}}}}}});
    Everything all{true,
                   -5,
                   ~0ULL,
                   2.5,
                   Colour::violet,
                   Job{1, "j"},
                   {{2, "k"}, {3, "l"}},
                   {{"a", {1, 2}}, {"b", {}}},
                   "text",
                   {5, {"x", "y"}},
                   {1, 2.5},
                   1500ms};
    expect_short_round_trip(all);
    all.job.reset();
    all.either = 5;
    expect_short_round_trip(all);
}

TEST(PickleRoundTrip, Optionals) {
    expect_short_round_trip(std::optional<int>());
    expect_short_round_trip(std::optional<int>(5));
    expect_short_round_trip(std::optional<std::vector<std::string>>({"a"}));
    // Where the value may be None itself, the two are told apart.
    using Nested = std::optional<std::optional<int>>;
    expect_round_trip(Nested());
    expect_round_trip(Nested(std::optional<int>()));
    expect_round_trip(Nested(std::optional<int>(5)));
    expect_round_trip(std::optional<std::monostate>());
    expect_round_trip(std::optional<std::monostate>(std::monostate()));
}

TEST(PickleRoundTrip, Variants) {
    using Distinct = std::variant<std::monostate, bool, int, double, std::string, weft::bytes,
                                  std::vector<std::string>, std::map<std::string, int>>;
    for (const Distinct& value :
         {Distinct(), Distinct(true), Distinct(5), Distinct(2.5), Distinct("text"s),
          Distinct(weft::bytes{std::byte{1}}), Distinct(std::vector<std::string>{"a"}),
          Distinct(std::map<std::string, int>{{"a", 1}})}) {
        expect_round_trip(value);
    }
    // Python sees the value, where that tells the alternatives apart, and otherwise the index too.
    EXPECT_EQ(pickle::loads(pickle::dumps(Distinct(5))), pickle::Value(5));
    using Alike = std::variant<int, long>;
    expect_short_round_trip(Alike(std::in_place_index<0>, 5));
    expect_short_round_trip(Alike(std::in_place_index<1>, 5));
    EXPECT_EQ(pickle::loads(pickle::dumps(Alike(std::in_place_index<1>, 5))).repr(), "(1, 5)");
    expect_round_trip(std::variant<double, int>(5));
    expect_round_trip(std::variant<int, std::tuple<int, int>>(std::tuple(1, 2)));
    expect_round_trip(std::variant<std::string, Job>(Job{1, "a"}));
    expect_round_trip(std::vector<std::variant<int, std::pair<int, int>>>{1, std::pair(2, 3), 4});
    EXPECT_THROW((pickle::loads<Alike>(pickle::dumps(std::tuple(2, 5)))), pickle::UnpicklingError);
    EXPECT_THROW((pickle::loads<std::variant<int, std::string>>(pickle::dumps(2.5))),
                 pickle::UnpicklingError);
}

TEST(PickleRoundTrip, Durations) {
    expect_short_round_trip(50ms);
    expect_short_round_trip(-7ns);
    expect_short_round_trip(std::chrono::duration<double>(1.5));
    expect_short_round_trip(std::chrono::sys_seconds(12345s));
}

TEST(PickleRoundTrip, Complex) {
    expect_round_trip(std::complex<double>(1.5, -2.5));
    EXPECT_EQ(pickle::loads<std::complex<double>>(pickle::dumps(3)), std::complex<double>(3));
}

TEST(PickleRoundTrip, OwnedObjects) {
    const auto unique = std::make_unique<Job>(Job{1, "a"});
    EXPECT_EQ(*pickle::loads<std::unique_ptr<Job>>(pickle::dumps(unique)), *unique);
    EXPECT_EQ(pickle::loads<std::unique_ptr<Job>>(pickle::dumps(std::unique_ptr<Job>())), nullptr);
    const auto none = pickle::loads<std::unique_ptr<std::optional<int>>>(
        pickle::dumps(std::make_unique<std::optional<int>>()));
    ASSERT_NE(none, nullptr);
    EXPECT_FALSE(none->has_value());
}

TEST(PickleRoundTrip, SharedObjectsAreSharedAgain) {
    const auto text = std::make_shared<std::string>("shared");
    const auto job = std::make_shared<const Job>(Job{1, "a"});
    const std::vector pair{text, text, std::make_shared<std::string>("shared")};
    const auto texts =
        pickle::loads<std::vector<std::shared_ptr<std::string>>>(pickle::dumps(pair));
    ASSERT_EQ(texts.size(), 3U);
    EXPECT_EQ(*texts[0], "shared");
    EXPECT_EQ(texts[0], texts[1]);
    EXPECT_NE(texts[0], texts[2]);
    const auto jobs = pickle::loads<std::vector<std::shared_ptr<const Job>>>(
        pickle::dumps(std::vector{job, job}));
    EXPECT_EQ(jobs[0], jobs[1]);
    EXPECT_EQ(*jobs[0], *job);
    using List = std::vector<std::string>;
    const auto list = std::make_shared<List>(List{"x"});
    for (int protocol = 2; protocol <= 5; ++protocol) {
        const auto lists = pickle::loads<std::vector<std::shared_ptr<List>>>(
            pickle::dumps(std::vector{list, list}, {.protocol = protocol}));
        EXPECT_EQ(lists[0], lists[1]);
        EXPECT_EQ(*lists[0], *list);
    }
}

TEST(PickleRoundTrip, BuffersOutOfBand) {
    const std::vector<double> numbers(1000, 2.5);
    const weft::bytes raw(5000, std::byte{7});
    const auto value = std::tuple(numbers, raw, "text"s, std::vector<int>{1});
    std::vector<std::span<const std::byte>> buffers;
    const weft::bytes wire = pickle::dumps(value, {.protocol = 5, .buffers = &buffers});
    ASSERT_EQ(buffers.size(), 2U);
    EXPECT_EQ(static_cast<const void*>(buffers[0].data()),
              static_cast<const void*>(std::get<0>(value).data()));
    EXPECT_LT(wire.size(), 200U);
    using Tuple = std::remove_const_t<decltype(value)>;
    EXPECT_EQ(pickle::loads<Tuple>(wire, {.buffers = buffers}), value);
    EXPECT_EQ(pickle::loads(wire, {.buffers = buffers}).get<Tuple>(), value);
    EXPECT_THROW(pickle::loads<Tuple>(wire), pickle::UnpicklingError);
    EXPECT_THROW(pickle::dumps(value, {.protocol = 4, .buffers = &buffers}), std::invalid_argument);
}

TEST(PickleRoundTrip, ABufferIsAppendedToAndUsedAgain) {
    weft::bytes buffer{std::byte{1}, std::byte{2}};
    pickle::dump(Job{5, "five"}, buffer);
    EXPECT_EQ(buffer[1], std::byte{2});
    Job job;
    pickle::load_into(std::span(buffer).subspan(2), job);
    EXPECT_EQ(job, (Job{5, "five"}));
    const weft::bytes before = buffer;
    EXPECT_THROW(pickle::dump(5, buffer, {.protocol = 6}), std::invalid_argument);
    EXPECT_THROW(pickle::dump(Tree{1, {{2, {{3, {}}}}}}, buffer, {.max_depth = 3}),
                 pickle::PicklingError);
    EXPECT_EQ(buffer, before);
}

TEST(PickleRoundTrip, BytesOfEveryKindAreRead) {
    const weft::bytes wire = pickle::dumps(5);
    const std::string text(reinterpret_cast<const char*>(wire.data()), wire.size());
    EXPECT_EQ(pickle::loads<int>(std::span(wire)), 5);
    EXPECT_EQ(pickle::loads<int>(text), 5);
    EXPECT_EQ(pickle::loads<int>(std::string_view(text)), 5);
    EXPECT_EQ(pickle::loads<int>(std::vector<unsigned char>(text.begin(), text.end())), 5);
    EXPECT_EQ(pickle::loads<int>(text + "behind"), 5);
}

TEST(PickleRoundTrip, NarrowerTypesTakeWhatFits) {
    EXPECT_EQ(pickle::loads<double>(pickle::dumps(5)), 5.0);
    EXPECT_EQ(pickle::loads<std::uint8_t>(pickle::dumps(255L)), 255);
    EXPECT_THROW(pickle::loads<std::uint8_t>(pickle::dumps(256)), pickle::UnpicklingError);
    EXPECT_THROW(pickle::loads<std::uint64_t>(pickle::dumps(-1)), pickle::UnpicklingError);
    EXPECT_THROW(pickle::loads<std::int64_t>(pickle::dumps(~0ULL)), pickle::UnpicklingError);
    EXPECT_THROW(pickle::loads<int>(pickle::dumps(2.0)), pickle::UnpicklingError);
    EXPECT_THROW(pickle::loads<bool>(pickle::dumps(1)), pickle::UnpicklingError);
    EXPECT_THROW(pickle::loads<float>(pickle::dumps(1e300)), pickle::UnpicklingError);
    EXPECT_THROW(pickle::loads<Colour>(pickle::dumps(300)), pickle::UnpicklingError);
    EXPECT_EQ(pickle::loads<std::vector<std::string>>(pickle::dumps(std::pair("a"s, "b"s))),
              (std::vector<std::string>{"a", "b"}));
    EXPECT_EQ((pickle::loads<std::pair<int, int>>(pickle::dumps(std::list{1, 2}))),
              std::pair(1, 2));
    EXPECT_THROW((pickle::loads<std::pair<int, int>>(pickle::dumps(std::list{1, 2, 3}))),
                 pickle::UnpicklingError);
    EXPECT_THROW((pickle::loads<std::vector<std::int8_t>>(pickle::dumps(std::vector{1000}))),
                 pickle::UnpicklingError);
}

TEST(PickleRoundTrip, AMismatchIsSaidInWords) {
    try {
        pickle::loads<Job>(pickle::dumps(std::pair("x"s, 5)));
        FAIL();
    } catch (const pickle::UnpicklingError& error) {
        EXPECT_NE(std::string(error.what()).find("expected an int, found str 'x'"),
                  std::string::npos)
            << error.what();
    }
}

}  // namespace
