// weft::bind_front: as std::bind_front calls, and where it goes beyond it.

#include <weft/bind_front.hpp>
#include <weft/detail/callable.hpp>
#include <weft/pickle.hpp>

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <gtest/gtest.h>

namespace {

using weft::bind_front;
using weft::detail::pack_call;
using weft::detail::run_packed;

int minus(int a, int b) {
    return a - b;
}

struct Scaled {
    double factor = 1;
    double operator()(double x, double y) const { return factor * x + y; }
};

struct Counter {
    int start = 0;
    [[nodiscard]] int plus(int n) const { return start + n; }
};

TEST(BindFront, CallsWithTheFirstArguments) {
    EXPECT_EQ(bind_front(minus)(5, 3), 2);
    EXPECT_EQ(bind_front(minus, 5)(3), 2);
    EXPECT_EQ(bind_front(minus, 5, 3)(), 2);
    EXPECT_EQ(bind_front(&Counter::plus, Counter{40})(2), 42);
    const auto join = bind_front([](std::string a, const std::string& b) { return a += b; }, "x");
    EXPECT_EQ(join("y"), "xy");
    EXPECT_EQ(join("z"), "xz");
    static_assert(!std::is_invocable_v<decltype(join)>);
    static_assert(bind_front([](int a, int b) { return a - b; }, 5)(3) == 2);
}

TEST(BindFront, KeepsCopiesAndGivesThemAwayWhenItIsOneItself) {
    int value = 1;
    const auto bound = bind_front([](int& n) { return ++n; }, value);
    auto changing = bound;
    EXPECT_EQ(changing(), 2);
    EXPECT_EQ(changing(), 3);
    EXPECT_EQ(value, 1);
    auto by_reference = bind_front([](int& n) { return ++n; }, std::ref(value));
    by_reference();
    EXPECT_EQ(value, 2);
    auto owner = bind_front([](std::unique_ptr<int> p) { return *p; }, std::make_unique<int>(7));
    EXPECT_EQ(std::move(owner)(), 7);
    // Text is kept, not pointed to.
    std::string text = "kept";
    const auto sized = bind_front([](const std::string& t) { return t; }, std::string_view(text));
    text = "gone";
    EXPECT_EQ(sized(), "kept");
}

template <class F, class... Args>
weft::pickle::Value sent(const F& callable, const Args&... args) {
    return weft::pickle::loads(run_packed(pack_call(callable, args...)));
}

TEST(BindFront, TravelsWithWhateverTravels) {
    EXPECT_EQ(sent(bind_front(minus, 5), 3), 2);
    EXPECT_EQ(sent(bind_front(minus), 5, 3), 2);
    EXPECT_EQ(sent(bind_front([](int a, int b) { return a * b; }, 6), 7), 42);
    EXPECT_EQ(sent(bind_front(Scaled{2}, 4.0), 0.5), 8.5);
    EXPECT_EQ(sent(bind_front(&Counter::plus, Counter{40}), 2), 42);
    EXPECT_EQ(
        sent(bind_front([](const std::string& a, const std::string& b) { return a + b; }, "bound "),
             "given"),
        "bound given");
    EXPECT_EQ(sent(bind_front(bind_front(minus, 44)), 2), 42);
    EXPECT_EQ(sent(bind_front(bind_front([](int a, int b, int c) { return a + b * c; }, 2), 5), 8),
              42);
    // What does not travel does not when it is bound, nor does a callable that captures.
    static_assert(weft::detail::travelling<decltype(bind_front(minus, 5))>);
    static_assert(
        !weft::detail::travelling<decltype(bind_front(minus, static_cast<int*>(nullptr)))>);
    const auto capturing = [captured = 1](int n) { return captured + n; };
    static_assert(!weft::detail::travelling<decltype(bind_front(capturing, 5))>);
    static_assert(!weft::detail::travelling<decltype(std::bind_front(minus, 5))>);
}

}  // namespace
