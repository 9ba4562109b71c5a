#include <weft/errors.hpp>

#include <gtest/gtest.h>

#include <concepts>
#include <exception>
#include <functional>
#include <map>
#include <new>
#include <set>
#include <stdexcept>
#include <string>
#include <system_error>
#include <type_traits>
#include <variant>

namespace {

using namespace weft;

using Names = std::set<std::string>;

/// The names of all handlers, out of a fixed list, that catch what `act` throws.
Names handlers_for(const std::function<void()>& act) {
    Names names;
    const auto try_handler = [&]<class Handler>(std::type_identity<Handler>, const char* name) {
        try {
            act();
        } catch (const Handler&) {
            names.insert(name);
        } catch (...) {
        }
    };
    try_handler(std::type_identity<BaseException>(), "BaseException");
    try_handler(std::type_identity<Exception>(), "Exception");
    try_handler(std::type_identity<LookupError>(), "LookupError");
    try_handler(std::type_identity<KeyError>(), "KeyError");
    try_handler(std::type_identity<TypeError>(), "TypeError");
    try_handler(std::type_identity<EOFError>(), "EOFError");
    try_handler(std::type_identity<BufferError>(), "BufferError");
    try_handler(std::type_identity<Cancelled>(), "Cancelled");
    try_handler(std::type_identity<TimeoutError>(), "TimeoutError");
    try_handler(std::type_identity<NotImplementedError>(), "NotImplementedError");
    try_handler(std::type_identity<SystemExit>(), "SystemExit");
    try_handler(std::type_identity<KeyboardInterrupt>(), "KeyboardInterrupt");
    try_handler(std::type_identity<std::exception>(), "std::exception");
    try_handler(std::type_identity<std::runtime_error>(), "std::runtime_error");
    try_handler(std::type_identity<std::logic_error>(), "std::logic_error");
    try_handler(std::type_identity<std::system_error>(), "std::system_error");
    return names;
}

template <class Error>
Names handlers_of() {
    return handlers_for([] { throw Error("text"); });
}

TEST(Errors, AreCaughtAsPythonCatchesThemAndByNobodyElse) {
    const Names root{"BaseException", "std::exception"};
    const Names error{"BaseException", "Exception", "std::exception"};
    const auto with = [](Names names, std::initializer_list<const char*> more) {
        names.insert(more.begin(), more.end());
        return names;
    };
    EXPECT_EQ(handlers_of<BaseException>(), root);
    EXPECT_EQ(handlers_of<Exception>(), error);
    EXPECT_EQ(handlers_of<LookupError>(), with(error, {"LookupError"}));
    EXPECT_EQ(handlers_of<KeyError>(), with(error, {"LookupError", "KeyError"}));
    EXPECT_EQ(handlers_of<TypeError>(), with(error, {"TypeError"}));
    EXPECT_EQ(handlers_of<EOFError>(), with(error, {"EOFError"}));
    EXPECT_EQ(handlers_of<BufferError>(), with(error, {"BufferError"}));
    EXPECT_EQ(handlers_of<Cancelled>(), with(error, {"Cancelled"}));
    EXPECT_EQ(handlers_of<SystemExit>(), with(root, {"SystemExit"}));
    EXPECT_EQ(handlers_of<KeyboardInterrupt>(), with(root, {"KeyboardInterrupt"}));
    EXPECT_EQ(handlers_of<TimeoutError>(),
              (Names{"TimeoutError", "std::system_error", "std::runtime_error", "std::exception"}));
    EXPECT_EQ(handlers_of<NotImplementedError>(),
              (Names{"NotImplementedError", "std::runtime_error", "std::exception"}));
}

TEST(Errors, OfTheStandardLibraryAreNotWeftsOwn) {
    EXPECT_EQ(handlers_of<std::runtime_error>(), (Names{"std::runtime_error", "std::exception"}));
    EXPECT_EQ(handlers_of<std::overflow_error>(), (Names{"std::runtime_error", "std::exception"}));
    EXPECT_EQ(handlers_of<std::invalid_argument>(), (Names{"std::logic_error", "std::exception"}));
    EXPECT_EQ(handlers_of<std::out_of_range>(), (Names{"std::logic_error", "std::exception"}));
    EXPECT_EQ(handlers_for([] { throw std::bad_alloc(); }), (Names{"std::exception"}));
}

template <class Error>
class EveryError : public testing::Test {};
using AllErrors = testing::Types<BaseException, Exception, LookupError, KeyError, TypeError,
                                 EOFError, BufferError, Cancelled, TimeoutError,
                                 NotImplementedError, SystemExit, KeyboardInterrupt>;
TYPED_TEST_SUITE(EveryError, AllErrors);

TYPED_TEST(EveryError, KeepsItsMessageAndNothingMore) {
    EXPECT_STREQ(TypeParam(std::string("a message")).what(), "a message");
    EXPECT_STREQ(TypeParam("").what(), "");
}

TYPED_TEST(EveryError, IsCopiedWithoutThrowing) {
    static_assert(std::is_nothrow_copy_constructible_v<TypeParam>);
    static_assert(std::is_nothrow_copy_assignable_v<TypeParam>);
    static_assert(std::is_nothrow_move_constructible_v<TypeParam>);
    TypeParam first("first");
    const TypeParam copy = first;
    first = TypeParam("second");
    EXPECT_STREQ(copy.what(), "first");
    EXPECT_STREQ(first.what(), "second");
}

TYPED_TEST(EveryError, IsNotMadeFromTextBySilentConversion) {
    EXPECT_FALSE((std::convertible_to<std::string, TypeParam>));
    EXPECT_FALSE((std::convertible_to<const char*, TypeParam>));
}

TYPED_TEST(EveryError, StaysWholeWhenMovedFrom) {
    TypeParam first("text");
    const TypeParam second = std::move(first);
    EXPECT_STREQ(second.what(), "text");
    EXPECT_NE(first.what(), nullptr);  // NOLINT(bugprone-use-after-move)
}

TEST(TimeoutError, CarriesTheCodeOfATimeThatIsUp) {
    EXPECT_EQ(TimeoutError().code(), std::errc::timed_out);
    EXPECT_STREQ(TimeoutError().what(), "timed out");
    EXPECT_EQ(TimeoutError("later").code().category(), std::generic_category());
}

TEST(SystemExit, WithoutACodeIsSuccess) {
    EXPECT_TRUE(std::holds_alternative<std::monostate>(SystemExit().code()));
    EXPECT_EQ(SystemExit().status(), 0);
    EXPECT_STREQ(SystemExit().what(), "");
}

TEST(SystemExit, CarriesAStatus) {
    EXPECT_EQ(std::get<int>(SystemExit(3).code()), 3);
    EXPECT_EQ(SystemExit(3).status(), 3);
    EXPECT_STREQ(SystemExit(3).what(), "3");
    EXPECT_EQ(std::get<int>(SystemExit(0).code()), 0);
    EXPECT_EQ(SystemExit(-1).status(), -1);
}

TEST(SystemExit, WithATextMeansStatusOne) {
    EXPECT_EQ(std::get<std::string>(SystemExit("no disk").code()), "no disk");
    EXPECT_EQ(SystemExit("no disk").status(), 1);
    EXPECT_EQ(SystemExit("").status(), 1);
}

}  // namespace
