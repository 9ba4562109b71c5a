#include <weft/threading/iterators.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <latch>
#include <map>
#include <memory>
#include <numeric>
#include <optional>
#include <ranges>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <weft/threading/event.hpp>
#include <weft/threading/thread.hpp>

#include "threading/generator.hpp"

namespace {

using namespace weft::threading;
using weft::test::Generator;

constexpr int kTakers = 4;
constexpr int kItems = 20000;

Generator<int> count_to(int limit) {
    for (int i = 0; i < limit; ++i) co_yield i;
}

Generator<int> fail_after(int good) {
    for (int i = 0; i < good; ++i) co_yield i;
    throw std::domain_error("the source is broken");
}

template <class Items>
auto all_of(Items&& items) {
    std::vector<typename std::remove_cvref_t<Items>::value_type> taken;
    for (auto& item : items) taken.push_back(std::move(item));
    return taken;
}

std::vector<int> numbers_to(int limit) {
    std::vector<int> numbers(static_cast<std::size_t>(limit));
    std::iota(numbers.begin(), numbers.end(), 0);
    return numbers;
}

/// What each of the takers has taken, all having begun together.
template <class Take>
std::vector<std::vector<int>> take_at_once(Take take) {
    std::vector<std::vector<int>> taken(kTakers);
    std::latch start(kTakers);
    std::vector<Joining> takers;
    for (std::size_t i = 0; i < kTakers; ++i) {
        takers.emplace_back(Thread([&, i] {
            start.arrive_and_wait();
            taken[i] = take(i);
        }));
    }
    takers.clear();
    return taken;
}

TEST(SerializeIterator, GivesEachItemToExactlyOneTaker) {
    serialize_iterator items(count_to(kItems));
    const auto taken = take_at_once([&items](std::size_t) { return all_of(items); });
    std::vector<int> together;
    for (const std::vector<int>& each : taken) {
        EXPECT_TRUE(std::ranges::is_sorted(each));
        together.insert(together.end(), each.begin(), each.end());
    }
    std::ranges::sort(together);
    EXPECT_EQ(together, numbers_to(kItems));
}

TEST(SerializeIterator, LetsOthersWaitWhileOneFetches) {
    Event is_inside;
    Event may_go_on;
    std::atomic<int> inside = 0;
    std::atomic<int> most_inside = 0;
    auto slow = std::views::iota(0, 3) | std::views::transform([&](int i) {
                    most_inside = std::max<int>(most_inside, ++inside);
                    is_inside.set();
                    may_go_on.wait();
                    --inside;
                    return i;
                });
    serialize_iterator items(slow);
    std::vector<Joining> takers;
    for (int i = 0; i < 3; ++i) takers.emplace_back(Thread([items] { EXPECT_TRUE(items.next()); }));
    is_inside.wait();
    may_go_on.set();
    takers.clear();
    EXPECT_EQ(most_inside, 1);
    EXPECT_FALSE(items.next());
}

TEST(SerializeIterator, SharesItsRangeWithItsCopies) {
    serialize_iterator first(count_to(3));
    const serialize_iterator second(first);
    static_assert(std::is_same_v<decltype(first), std::remove_const_t<decltype(second)>>);
    EXPECT_EQ(first.next(), 0);
    EXPECT_EQ(second.next(), 1);
    EXPECT_EQ(first.next(), 2);
    EXPECT_EQ(second.next(), std::nullopt);
}

TEST(SerializeIterator, StaysAtItsEnd) {
    serialize_iterator items(count_to(1));
    EXPECT_EQ(items.next(), 0);
    EXPECT_EQ(items.next(), std::nullopt);
    EXPECT_EQ(items.next(), std::nullopt);
    EXPECT_EQ(serialize_iterator(count_to(0)).next(), std::nullopt);
}

TEST(SerializeIterator, DoesNotRunTheRangeBeforeAnItemIsWanted) {
    bool has_run = false;
    auto make = [](bool& flag) -> Generator<int> {
        flag = true;
        co_yield 1;
    };
    serialize_iterator items(make(has_run));
    EXPECT_FALSE(has_run);
    EXPECT_EQ(items.next(), 1);
    EXPECT_TRUE(has_run);
}

TEST(SerializeIterator, GivesAnExceptionToOneTakerAndTheEndToTheOthers) {
    serialize_iterator items(fail_after(2));
    EXPECT_EQ(items.next(), 0);
    EXPECT_EQ(items.next(), 1);
    EXPECT_THROW(items.next(), std::domain_error);
    EXPECT_EQ(items.next(), std::nullopt);
}

TEST(SerializeIterator, EndsWhenTheBeginningFails) {
    serialize_iterator items(fail_after(0));
    EXPECT_THROW(items.next(), std::domain_error);
    EXPECT_EQ(items.next(), std::nullopt);
}

TEST(SerializeIterator, GoesOnBehindAnItemThatFails) {
    const auto refuse_one = [](int i) {
        if (i == 1) throw std::domain_error("one");
        return i;
    };
    serialize_iterator mapped(std::views::iota(0, 3) | std::views::transform(refuse_one));
    EXPECT_EQ(mapped.next(), 0);
    EXPECT_THROW(mapped.next(), std::domain_error);
    EXPECT_EQ(mapped.next(), 2);

    const auto is_not_one = [&](int i) { return refuse_one(i) != 3; };
    serialize_iterator filtered(std::views::iota(0, 3) | std::views::filter(is_not_one));
    EXPECT_EQ(filtered.next(), 0);
    EXPECT_THROW(filtered.next(), std::domain_error);
    EXPECT_EQ(filtered.next(), 2);
    EXPECT_EQ(filtered.next(), std::nullopt);
}

TEST(SerializeIterator, RefersToWhatHasANameAndOwnsTheRest) {
    std::vector<std::string> names{"a name longer than any small buffer", "b"};
    const std::string* const place = names.data();
    EXPECT_EQ(all_of(serialize_iterator(names)), names);
    names.push_back("c");
    EXPECT_EQ(all_of(serialize_iterator(names)).size(), 3u);
    EXPECT_EQ(all_of(serialize_iterator(std::as_const(names))), names);
    EXPECT_EQ(names.front().size(), 35u) << "the items were moved out of a range with a name";
    EXPECT_NE(place, nullptr);

    std::vector<std::unique_ptr<int>> owners;
    owners.push_back(std::make_unique<int>(5));
    EXPECT_EQ(*all_of(serialize_iterator(std::move(owners))).at(0), 5);
}

TEST(SerializeIterator, DoesNotMoveOutOfWhatAGeneratorOrAViewShows) {
    std::vector<std::string> kept{std::string(40, 'x')};
    EXPECT_EQ(all_of(serialize_iterator(std::ranges::subrange(kept))), kept);
    EXPECT_EQ(kept[0].size(), 40u);
    auto show = [](std::vector<std::string>& strings) -> Generator<std::string> {
        for (std::string& each : strings) co_yield each;
    };
    EXPECT_EQ(all_of(serialize_iterator(show(kept))), kept);
    EXPECT_EQ(kept[0].size(), 40u);
}

TEST(SerializeIterator, TakesRangesOfManyKinds) {
    const int array[] = {1, 2};
    EXPECT_EQ(all_of(serialize_iterator(array)), (std::vector{1, 2}));
    EXPECT_EQ(all_of(serialize_iterator(std::vector<bool>{true, false})),
              (std::vector<bool>{true, false}));
    std::map<int, std::string> map{{1, "one"}, {2, "two"}};
    serialize_iterator entries(map);
    EXPECT_EQ(entries.next()->second, "one");
    for (auto& entry : entries) EXPECT_EQ(entry.second, "two");
    EXPECT_EQ(all_of(serialize_iterator(std::views::iota(0) | std::views::take(2))),
              (std::vector{0, 1}));
}

TEST(SerializeIterator, LosesNothingWhenALoopBreaks) {
    serialize_iterator items(count_to(4));
    for (const int item : items) {
        if (item == 1) break;
    }
    EXPECT_EQ(all_of(items), (std::vector{2, 3}));
}

TEST(SerializeIterator, IsAView) {
    serialize_iterator items(count_to(6));
    static_assert(std::ranges::view<decltype(items)> && std::ranges::input_range<decltype(items)>);
    std::vector<int> doubled;
    for (const int i : items | std::views::transform([](int n) { return 2 * n; })) {
        doubled.push_back(i);
    }
    EXPECT_EQ(doubled, (std::vector{0, 2, 4, 6, 8, 10}));
}

TEST(SerializeIterator, MayBeWrappedAgain) {
    auto inner = serialize_iterator(count_to(3));
    serialize_iterator<decltype(inner)> outer(inner);
    EXPECT_EQ(outer.next(), 0);
    EXPECT_EQ(inner.next(), 1);
    EXPECT_EQ(outer.next(), 2);
}

TEST(SerializeIterator, RefusesTheRangeThatAsksItself) {
    std::optional<serialize_iterator<Generator<int>>> items;
    auto ask_itself = [](auto& wrapper) -> Generator<int> {
        co_yield 1;
        co_yield *wrapper->next();
    };
    items.emplace(ask_itself(items));
    EXPECT_EQ(items->next(), 1);
    EXPECT_THROW(items->next(), std::runtime_error);
    EXPECT_EQ(items->next(), std::nullopt);
}

/// Python's generators take values; here is a range that does.
struct Echo {
    int last = 0;
    int* begin() { return &last; }
    int* end() { return &last + 1; }
    int send(int value) { return last = value; }
    int throw_(const std::string& what) { throw std::runtime_error(what); }
    bool close() { return true; }
};

TEST(SerializeIterator, HandsSendThrowAndCloseToItsRange) {
    const serialize_iterator echo(Echo{});
    EXPECT_EQ(echo.send(7), 7);
    EXPECT_EQ(echo.next(), 7);
    EXPECT_THROW(echo.throw_("thrown in"), std::runtime_error);
    EXPECT_TRUE(echo.close());
    EXPECT_EQ(echo.next(), std::nullopt);
    Echo named;
    EXPECT_EQ(serialize_iterator(named).send(3), 3);
    EXPECT_EQ(named.last, 3);
}

template <class Items>
constexpr bool takes_values = requires(Items items) { items.send(1); };

TEST(SerializeIterator, HasNoSendWhereItsRangeHasNone) {
    EXPECT_TRUE(takes_values<serialize_iterator<Echo>>);
    EXPECT_FALSE(takes_values<serialize_iterator<Generator<int>>>);
}

TEST(SynchronizedIterator, WrapsEachRangeThatTheFunctionReturns) {
    const auto numbers = synchronized_iterator(count_to);
    const auto first = numbers(2);
    const auto second = numbers(kItems);
    static_assert(std::is_same_v<decltype(first), const serialize_iterator<Generator<int>>>);
    EXPECT_EQ(all_of(first), (std::vector{0, 1}));
    const auto taken = take_at_once([&second](std::size_t) { return all_of(second); });
    std::size_t count = 0;
    for (const std::vector<int>& each : taken) count += each.size();
    EXPECT_EQ(count, static_cast<std::size_t>(kItems));
}

TEST(SynchronizedIterator, KeepsWhatAFunctionReturnsByReference) {
    std::vector<int> numbers{1, 2, 3};
    const auto shared =
        synchronized_iterator([&numbers]() -> std::vector<int>& { return numbers; });
    EXPECT_EQ(all_of(shared()), numbers);
    numbers.pop_back();
    EXPECT_EQ(all_of(shared()), (std::vector{1, 2}));
}

TEST(ConcurrentTee, ShowsEveryItemInOrderToEveryTaker) {
    auto tees = concurrent_tee(count_to(kItems), kTakers);
    const auto taken = take_at_once([&tees](std::size_t i) { return all_of(tees[i]); });
    for (const std::vector<int>& each : taken) EXPECT_EQ(each, numbers_to(kItems));
}

TEST(ConcurrentTee, MakesTwoUnlessToldOtherwise) {
    auto [left, right] = concurrent_tee(count_to(3));
    EXPECT_EQ(all_of(left), (std::vector{0, 1, 2}));
    EXPECT_EQ(all_of(right), (std::vector{0, 1, 2}));
    EXPECT_EQ(concurrent_tee<3>(count_to(1)).size(), 3u);
    EXPECT_TRUE(concurrent_tee<0>(count_to(1)).empty());
}

TEST(ConcurrentTee, MakesNoneForZeroAndRefusesLess) {
    EXPECT_TRUE(concurrent_tee(count_to(1), 0).empty());
    Generator<int> kept = count_to(1);
    EXPECT_THROW((void)concurrent_tee(std::move(kept), -1), std::invalid_argument);
    EXPECT_EQ(concurrent_tee(std::move(kept), 1)[0].next(), 0) << "the range was lost";
}

TEST(ConcurrentTee, KeepsWhatSomeHaveNotSeenAndNoMore) {
    struct Counted {
        explicit Counted(std::atomic<int>& count) : alive(&count) { ++*alive; }
        Counted(const Counted& other) : alive(other.alive) { ++*alive; }
        Counted& operator=(const Counted&) = default;
        ~Counted() { --*alive; }
        std::atomic<int>* alive;
    };
    std::atomic<int> alive = 0;
    auto make = [&alive](int) { return Counted(alive); };
    auto [fast, slow] = concurrent_tee(std::views::iota(0, 1000) | std::views::transform(make));
    while (fast.next()) {
    }
    EXPECT_EQ(alive, 1000);
    (void)slow.next();
    EXPECT_EQ(alive, 999);
    {
        const auto gone = std::move(slow);
    }
    EXPECT_EQ(alive, 0);
}

TEST(ConcurrentTee, ReleasesALongChainWithoutRecursion) {
    auto [fast, slow] = concurrent_tee(std::views::iota(0, 1000000));
    int count = 0;
    while (fast.next()) ++count;
    EXPECT_EQ(count, 1000000);
    EXPECT_EQ(slow.next(), 0);
}

TEST(ConcurrentTee, MovesAnItemToTheLastWhoSeesIt) {
    auto [first, last] = concurrent_tee(std::vector<std::string>{std::string(40, 'x')});
    const std::optional<std::string> copy = first.next();
    const std::optional<std::string> original = last.next();
    EXPECT_EQ(copy, original);
    EXPECT_NE(copy->data(), original->data());
    struct Copied {
        Copied() = default;
        Copied(const Copied& other) : copies(other.copies + 1) {}
        Copied(Copied&& other) noexcept : copies(other.copies) {}
        Copied& operator=(const Copied&) = default;
        int copies = 0;
    };
    auto [one, other] = concurrent_tee(std::vector<Copied>(1));
    EXPECT_EQ(one.next()->copies - other.next()->copies, 1);
}

TEST(ConcurrentTee, GivesAnExceptionToWhoFetchedAndTheEndToTheOthers) {
    auto [first, second] = concurrent_tee(fail_after(1));
    EXPECT_EQ(first.next(), 0);
    EXPECT_THROW(first.next(), std::domain_error);
    EXPECT_EQ(first.next(), std::nullopt);
    EXPECT_EQ(second.next(), 0);
    EXPECT_EQ(second.next(), std::nullopt);
}

TEST(ConcurrentTee, ShowsAnItemAgainWhoseCopyFailed) {
    struct Stubborn {
        Stubborn(int id, bool* refuses_copies) : number(id), refuses(refuses_copies) {}
        Stubborn(const Stubborn& other) : number(other.number), refuses(other.refuses) {
            if (*refuses) throw std::runtime_error("no copy");
        }
        Stubborn(Stubborn&&) noexcept = default;
        Stubborn& operator=(const Stubborn&) = default;
        int number;
        bool* refuses;
    };
    bool refuses = true;
    auto make = [&refuses](int i) { return Stubborn(i, &refuses); };
    auto [first, second] = concurrent_tee(std::views::iota(0, 2) | std::views::transform(make));
    EXPECT_THROW((void)first.next(), std::runtime_error);
    refuses = false;
    EXPECT_EQ(first.next()->number, 0);
    EXPECT_EQ(first.next()->number, 1);
    EXPECT_EQ(second.next()->number, 0);
}

TEST(ConcurrentTee, OfATeeGoesOnWhereThatIs) {
    auto [one, other] = concurrent_tee(count_to(4));
    EXPECT_EQ(one.next(), 0);
    auto [third, fourth] = concurrent_tee(one);
    EXPECT_EQ(all_of(third), (std::vector{1, 2, 3}));
    EXPECT_EQ(all_of(one), (std::vector{1, 2, 3}));
    EXPECT_EQ(all_of(concurrent_tee(std::move(fourth), 2)[1]), (std::vector{1, 2, 3}));
    EXPECT_EQ(all_of(other), (std::vector{0, 1, 2, 3}));
}

TEST(ConcurrentTee, MayBeSharedThroughASerializeIterator) {
    auto [one, other] = concurrent_tee(count_to(kItems));
    serialize_iterator shared(std::move(one));
    const auto taken = take_at_once([&shared](std::size_t) { return all_of(shared); });
    std::size_t count = 0;
    for (const std::vector<int>& each : taken) count += each.size();
    EXPECT_EQ(count, static_cast<std::size_t>(kItems));
    EXPECT_EQ(all_of(other), numbers_to(kItems));
}

TEST(ConcurrentTee, HasNothingAfterAMove) {
    auto [one, other] = concurrent_tee(count_to(1));
    ConcurrentTee<int> here = std::move(one);
    EXPECT_EQ(one.next(), std::nullopt);
    EXPECT_EQ(here.next(), 0);
    here = std::move(other);
    EXPECT_EQ(here.next(), 0);
}

TEST(ConcurrentTee, RefusesTheRangeThatAsksItself) {
    std::optional<std::vector<ConcurrentTee<int>>> tees;
    auto ask_itself = [](auto& all) -> Generator<int> {
        co_yield 1;
        co_yield *all->at(1).next() + *all->at(1).next();
    };
    tees = concurrent_tee(ask_itself(tees), 2);
    EXPECT_EQ(tees->at(0).next(), 1);
    EXPECT_THROW((void)tees->at(0).next(), std::runtime_error);
}

}  // namespace
