// Calls that another process of the same program makes: however it was linked, and nothing else.

#include <weft/detail/callable.hpp>
#include <weft/pickle.hpp>

#include <cstddef>
#include <stdexcept>
#include <string>
#include <tuple>
#include <variant>

#include <gtest/gtest.h>

#include "support/child.hpp"

namespace {

using weft::detail::pack_call;
using weft::detail::run_packed;

std::string packed_by(const std::string& program, const std::string& name) {
    const auto result = weft::test::run_child(program, {.arguments = {"pack", name}});
    EXPECT_TRUE(result.exited_with(0)) << result.describe();
    return result.output;
}

std::string made_by(const std::string& program, const std::string& packed) {
    return weft::test::run_child(program, {.arguments = {"run"}, .input = packed}).output;
}

class CallableWays : public testing::TestWithParam<const char*> {};

TEST_P(CallableWays, AnotherRunOfTheProgramMakesTheCall) {
    const std::string program = GetParam();
    const auto result_of = [&](const char* name) {
        return made_by(program, packed_by(program, name));
    };
    EXPECT_EQ(result_of("lambda"), "42");
    EXPECT_EQ(result_of("text"), "'literal!'");
    EXPECT_EQ(result_of("nothing"), "None");
    EXPECT_EQ(result_of("function"), "3628800");
    EXPECT_EQ(result_of("pointer"), "42");
    EXPECT_EQ(result_of("one"), "42");
    EXPECT_EQ(result_of("other"), "43");
    EXPECT_EQ(result_of("bound"), "42");
    EXPECT_EQ(result_of("functor"), "6.0");
    EXPECT_EQ(result_of("method"), "42");
    EXPECT_EQ(result_of("virtual"), "'base5'");
    EXPECT_EQ(result_of("container"), "array('i', [3, 2, 1])");
    EXPECT_EQ(result_of("throws"), "thrown 3");
}

constexpr const char* kWays[] = WEFT_TEST_CALLABLE_WAYS;
INSTANTIATE_TEST_SUITE_P(Linked, CallableWays, testing::ValuesIn(kWays),
                         [](const auto& way) { return std::string(way.param); });

TEST(Callable, AnotherProgramRefusesTheCallAndSaysWhy) {
    const std::string said = made_by("callable_ways", packed_by("callable_ways_debug", "lambda"));
    EXPECT_NE(said.find("which this process does not have"), std::string::npos) << said;
    EXPECT_NE(said.find("both processes must run the same build"), std::string::npos) << said;
}

std::string refusal_of(const weft::bytes& packed) {
    try {
        run_packed(packed);
    } catch (const std::runtime_error& error) {
        return error.what();
    }
    return "made the call";
}

TEST(Callable, ReadersOfPicklesTakeNone) {
    const weft::bytes packed = pack_call([](int n) { return n; }, 5);
    EXPECT_EQ(weft::pickle::loads<int>(run_packed(packed)), 5);
    EXPECT_THROW(weft::pickle::loads(packed), weft::pickle::UnpicklingError);
    EXPECT_THROW(weft::pickle::loads<int>(packed), weft::pickle::UnpicklingError);
}

TEST(Callable, ForgedOnesAreRefused) {
    const weft::bytes packed = pack_call([](int n) { return n + 1; }, 5);
    EXPECT_EQ(refusal_of({}), "bytes that are no packed call");
    EXPECT_EQ(refusal_of(weft::pickle::dumps(5)), "bytes that are no packed call");
    // Every flipped byte of the head: another module, another place, or no packed call at all.
    const std::size_t head =
        packed.size() - weft::pickle::dumps(std::tuple(std::monostate(), 5)).size();
    for (std::size_t place = 0; place < head; ++place) {
        weft::bytes bent = packed;
        bent[place] ^= std::byte{1};
        EXPECT_NE(refusal_of(bent), "made the call") << place;
    }
    for (std::size_t size = 0; size < head; ++size) {
        EXPECT_NE(refusal_of(weft::bytes(packed.begin(), packed.begin() + static_cast<long>(size))),
                  "made the call");
    }
}

TEST(Callable, FunctionsThatAreNoEntriesAreRefused) {
    // The place of some code, in the form of an entry.
    const auto place = weft::detail::place_of(
        reinterpret_cast<weft::detail::FunctionAddress>(static_cast<std::size_t (*)(const char*)>(
            [](const char* text) { return std::string(text).size(); })));
    weft::bytes packed = pack_call([](int n) { return n + 2; }, 5);
    const auto real = weft::pickle::dumps(std::tuple(std::monostate(), 5));
    for (std::size_t i = 0; i < 8; ++i) {
        packed[packed.size() - real.size() - 8 + i] =
            static_cast<std::byte>(place.offset >> (8 * i));
    }
    EXPECT_NE(refusal_of(packed).find("is no entry of a packed call"), std::string::npos)
        << refusal_of(packed);
}

TEST(Callable, APlaceThatIsNoCodeIsRefused) {
    auto place =
        weft::detail::place_of(reinterpret_cast<weft::detail::FunctionAddress>(&refusal_of));
    EXPECT_EQ(weft::detail::function_at(place),
              reinterpret_cast<weft::detail::FunctionAddress>(&refusal_of));
    place.offset = 0;
    EXPECT_THROW(weft::detail::function_at(place), std::runtime_error);
}

}  // namespace
