#include <weft/threading/local.hpp>

#include <gtest/gtest.h>

#include <any>
#include <array>
#include <atomic>
#include <functional>
#include <latch>
#include <memory>
#include <mutex>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <weft/threading/functions.hpp>
#include <weft/threading/thread.hpp>

namespace {

using namespace weft::threading;

/// Counts how many there are.
struct Counted {
    Counted() { ++alive; }
    explicit Counted(int n) : number(n) { ++alive; }
    Counted(const Counted&) = delete;
    Counted& operator=(const Counted&) = delete;
    ~Counted() { --alive; }

    int number = 0;
    static inline std::atomic<int> alive{0};
};

void on_a_thread(const std::function<void()>& body) {
    const Joining joining{Thread(body)};
    joining->join();
}

void on_a_foreign_thread(const std::function<void()>& body) {
    std::thread(body).join();
}

TEST(Local, IsItsOwnInEachThread) {
    local<std::vector<int>> values;
    values->push_back(1);
    std::vector<int> seen{99};
    on_a_thread([&] {
        seen = *values;
        values->assign({2, 3});
        EXPECT_EQ(values->size(), 2U);
    });
    EXPECT_TRUE(seen.empty());
    EXPECT_EQ(*values, std::vector<int>{1});
    EXPECT_EQ(&values.get(), &*values);
}

TEST(Local, BeginsWithTheDefaultValue) {
    const local<int> number;
    EXPECT_EQ(*number, 0);
    ++*number;
    EXPECT_EQ(*number, 1);
    on_a_thread([&] { EXPECT_EQ(number.get(), 0); });
}

TEST(Local, CallsAFactoryAlsoWhereTheValueCouldBeMadeFromTheFactoryItself) {
    const local<bool> truth([] { return false; });
    EXPECT_FALSE(*truth);
    const local<std::any> anything([] { return 5; });
    EXPECT_EQ(std::any_cast<int>(*anything), 5);
    const local<std::function<int()>> function(
        [] { return std::function<int()>([] { return 6; }); });
    EXPECT_EQ((*function)(), 6);
}

TEST(Local, TakesAFunctionThatMakesNoValueForAnArgument) {
    const local<std::function<int()>> function([] { return 7; });
    EXPECT_EQ((*function)(), 7);
    const std::function<int()> same = [] { return 8; };
    const local<std::function<int()>> copied(same);
    EXPECT_EQ((*copied)(), 8);
    const local<bool> truth(true);
    EXPECT_TRUE(*truth);
}

TEST(Local, IsConstructedWhereAThreadTouchesItFirst) {
    const local<Counted> counted;
    EXPECT_EQ(Counted::alive, 0);
    on_a_thread([] {});
    EXPECT_EQ(Counted::alive, 0);
    (void)counted.get();
    EXPECT_EQ(Counted::alive, 1);
    (void)counted.get();
    EXPECT_EQ(Counted::alive, 1);
}

TEST(Local, RunsTheConstructorWithTheSameArgumentsInEachThread) {
    std::string name = "first";
    int shared = 0;
    struct Session {
        Session(const std::string& given, int& counter) : name(given) { ++counter; }
        std::string name;
    };
    const local<Session> session(name, std::ref(shared));
    name = "second";
    EXPECT_EQ(session->name, "first");
    on_a_thread([&] {
        EXPECT_EQ(session->name, "first");
        session->name = "changed";
    });
    on_a_foreign_thread([&] { EXPECT_EQ(session->name, "first"); });
    EXPECT_EQ(shared, 3);
}

TEST(Local, CallsAFactoryForEachThread) {
    std::atomic<int> calls{0};
    const local<std::string> text(
        [&calls] { return std::string(1, static_cast<char>('a' + calls++)); });
    EXPECT_EQ(*text, "a");
    on_a_thread([&] { EXPECT_EQ(*text, "b"); });
    EXPECT_EQ(*text, "a");
}

TEST(Local, HoldsWhatCannotBeMoved) {
    const local<std::mutex> mutex;
    EXPECT_TRUE(mutex->try_lock());
    mutex->unlock();
    const local<Counted> made([] { return Counted(4); });
    EXPECT_EQ(made->number, 4);
}

TEST(Local, TakesOnlyArgumentsThatMakeAValue) {
    EXPECT_FALSE((std::is_constructible_v<local<int>, std::string>));
    EXPECT_FALSE((std::is_constructible_v<local<std::mutex>, int>));
    struct NeedsOne {
        explicit NeedsOne(int) {}
    };
    EXPECT_FALSE(std::is_default_constructible_v<local<NeedsOne>>);
    EXPECT_TRUE((std::is_constructible_v<local<NeedsOne>, int>));
    EXPECT_FALSE(std::is_copy_constructible_v<local<int>>);
}

TEST(Local, KeepsOverAlignedValuesAligned) {
    struct alignas(128) Wide {
        std::array<char, 128> bytes{};
    };
    const local<Wide> wide;
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(&*wide) % 128, 0U);
}

// The end of a thread, and of the object ----------------------------------------------------------

class LocalAtTheEnd : public testing::TestWithParam<void (*)(const std::function<void()>& body)> {};

TEST_P(LocalAtTheEnd, OfAThreadIsDestroyed) {
    const local<Counted> counted;
    int inside = 0;
    GetParam()([&] {
        (void)counted.get();
        inside = Counted::alive;
    });
    EXPECT_EQ(inside, 1);
    EXPECT_EQ(Counted::alive, 0);
}

TEST_P(LocalAtTheEnd, OfTheObjectIsDestroyedInAllThreads) {
    auto counted = std::make_unique<local<Counted>>();
    (void)counted->get();
    std::latch touched(1);
    std::latch may_end(1);
    std::jthread other([&, run = GetParam()] {
        run([&] {
            (void)counted->get();
            touched.count_down();
            may_end.wait();
        });
    });
    touched.wait();
    EXPECT_EQ(Counted::alive, 2);
    counted.reset();
    EXPECT_EQ(Counted::alive, 0);
    may_end.count_down();
}

/// Touches a local in a destructor.
struct Toucher {
    explicit Toucher(const local<Counted>& given) : subject(given) {}
    ~Toucher() { seen = subject->number++; }
    const local<Counted>& subject;
    static inline int seen = -1;
};

TEST_P(LocalAtTheEnd, OutlivesTheThreadLocalObjects) {
    const local<Counted> counted(5);
    Toucher::seen = -1;
    GetParam()([&] {
        static thread_local Toucher toucher(counted);
        (void)toucher;
        counted->number = 6;
    });
    EXPECT_EQ(Toucher::seen, 6);
    EXPECT_EQ(Counted::alive, 0);
}

TEST_P(LocalAtTheEnd, IsMadeInADestructorOfAThreadLocalObjectAndDestroyed) {
    const local<Counted> counted(5);
    Toucher::seen = -1;
    GetParam()([&] {
        static thread_local Toucher toucher(counted);
        (void)toucher;
    });
    EXPECT_EQ(Toucher::seen, 5);
    EXPECT_EQ(Counted::alive, 0);
}

TEST_P(LocalAtTheEnd, MayTouchOthersInTheDestructor) {
    const local<Counted> counted(5);
    Toucher::seen = -1;
    const local<Toucher> toucher(std::cref(counted));
    GetParam()([&] { (void)toucher.get(); });
    EXPECT_EQ(Toucher::seen, 5);
    EXPECT_EQ(Counted::alive, 0);
}

INSTANTIATE_TEST_SUITE_P(Threads, LocalAtTheEnd,
                         testing::Values(&on_a_thread, &on_a_foreign_thread),
                         [](const auto& each) { return each.index == 0 ? "Own" : "Foreign"; });

TEST(Local, IsGoneWhenAJoinReturns) {
    const local<Counted> counted;
    for (int i = 0; i < 100; ++i) {
        Thread thread([&] { (void)counted.get(); });
        thread.start();
        thread.join();
        ASSERT_EQ(Counted::alive, 0);
    }
}

/// Touches its own local in its destructor, the first few times.
struct Returning {
    ~Returning();
    static inline std::atomic<int> destroyed{0};
    static inline int most = 0;
};
local<Returning>* returning = nullptr;
Returning::~Returning() {
    if (++destroyed < most) (void)returning->get();
}

TEST(Local, IsMadeAnewByItsOwnDestructorAndDestroyedAgain) {
    local<Returning> subject;
    returning = &subject;
    Returning::destroyed = 0;
    Returning::most = 3;
    on_a_thread([&] { (void)subject.get(); });
    EXPECT_EQ(Returning::destroyed, 3);
}

TEST(Local, DestroysWhatItsValuesMakeWhileItDies) {
    Returning::destroyed = 0;
    Returning::most = 3;
    {
        local<Returning> subject;
        returning = &subject;
        (void)subject.get();
    }
    EXPECT_EQ(Returning::destroyed, 3);
}

TEST(Local, IsDestroyedOnceWhereTheObjectAndTheThreadEndTogether) {
    for (int round = 0; round < 300; ++round) {
        auto counted = std::make_unique<local<Counted>>();
        std::latch touched(3);
        std::vector<std::jthread> threads;
        for (int i = 0; i < 3; ++i) {
            threads.emplace_back([&] {
                (void)counted->get();
                touched.count_down();
            });
        }
        touched.wait();
        counted.reset();
        // Whoever destroys it has finished: nothing of the type runs once the object is gone.
        ASSERT_EQ(Counted::alive, 0);
    }
}

/// Is in its destructor until it is let go.
struct Slow {
    ~Slow() {
        in_destructor->count_down();
        may_go->wait();
        is_gone = true;
    }
    static inline std::latch* in_destructor = nullptr;
    static inline std::latch* may_go = nullptr;
    static inline std::atomic<bool> is_gone{false};
};

TEST(Local, WaitsForADestructorThatRunsAtTheEndOfAThread) {
    std::latch in_destructor(1);
    std::latch may_go(1);
    Slow::in_destructor = &in_destructor;
    Slow::may_go = &may_go;
    auto slow = std::make_unique<local<Slow>>();
    std::jthread ending([&] { (void)slow->get(); });
    in_destructor.wait();
    bool was_gone = false;
    std::jthread dropping([&] {
        slow.reset();
        was_gone = Slow::is_gone;
    });
    for (int i = 0; i < 100; ++i) std::this_thread::yield();
    may_go.count_down();
    dropping.join();
    EXPECT_TRUE(was_gone);
}

/// A value that owns the local it is a value of.
struct Owner {
    std::shared_ptr<local<Owner>> self;
};

TEST(Local, MayBeDestroyedByTheDestructorOfItsOwnValue) {
    on_a_thread([] {
        auto owner = std::make_shared<local<Owner>>();
        (*owner)->self = owner;
    });
    const Counted counted;
    EXPECT_EQ(Counted::alive, 1);
}

// Failures ----------------------------------------------------------------------------------------

TEST(Local, TriesAgainAfterAConstructorHasThrown) {
    int calls = 0;
    const local<Counted> counted([&calls]() -> Counted {
        if (++calls == 1) throw std::range_error("not yet");
        return Counted(8);
    });
    EXPECT_THROW((void)counted.get(), std::range_error);
    EXPECT_EQ(Counted::alive, 0);
    EXPECT_EQ(counted->number, 8);
    EXPECT_EQ(counted->number, 8);
    EXPECT_EQ(calls, 2);
}

TEST(Local, RefusesToMakeAValueThatNeedsItself) {
    const local<int>* self = nullptr;
    const local<int> number([&self] { return **self + 1; });
    self = &number;
    EXPECT_THROW((void)number.get(), std::runtime_error);
    const local<int> other(3);
    self = &other;
    EXPECT_EQ(*number, 4);
}

// Numbers and memory ------------------------------------------------------------------------------

TEST(Local, UsesItsPlaceAgainSoThatNothingGrows) {
    (void)local<int>(1).get();
    const std::size_t size = weft::detail::this_thread_locals.size;
    for (int i = 0; i < 100'000; ++i) {
        const local<int> number(i);
        ASSERT_EQ(*number, i);
    }
    EXPECT_EQ(weft::detail::this_thread_locals.size, size);
}

TEST(Local, KeepsManyApart) {
    std::vector<std::unique_ptr<local<int>>> many;
    for (int i = 0; i < 1000; ++i) {
        many.push_back(std::make_unique<local<int>>(i));
        if (i % 3 == 0) (void)many.back()->get();
    }
    on_a_thread([&] {
        for (int i = 0; i < 1000; i += 7) ++*(*many[static_cast<std::size_t>(i)]);
    });
    for (std::size_t i = 0; i < many.size(); i += 2) many[i].reset();
    for (std::size_t i = 0; i < many.size(); i += 2) many[i] = std::make_unique<local<int>>(-1);
    for (std::size_t i = 0; i < many.size(); ++i) {
        EXPECT_EQ(**many[i], i % 2 == 0 ? -1 : static_cast<int>(i));
    }
}

TEST(Local, MayBeDestroyedByAnotherThreadWhileThisOneTouchesOthers) {
    const local<int> kept;
    std::atomic<bool> is_over{false};
    std::jthread other([&] {
        for (int i = 0; i < 2000; ++i) {
            local<Counted> temporary;
            (void)temporary.get();
        }
        is_over = true;
    });
    int touches = 0;
    while (!is_over) {
        std::vector<std::unique_ptr<local<int>>> many;
        for (int i = 0; i < 20; ++i) {
            many.push_back(std::make_unique<local<int>>());
            touches += ++*(*many.back());
        }
        ++*kept;
    }
    EXPECT_EQ(touches, *kept * 20);
}

// Static objects of any order ---------------------------------------------------------------------

struct Early {
    Early();
    int seen;
};
const Early early;  // before `very_early` is constructed, if that needs construction
constinit local<int> very_early;
Early::Early() : seen(++*very_early) {}

TEST(Local, IsReadyBeforeAnyConstructorRuns) {
    EXPECT_EQ(early.seen, 1);
    EXPECT_EQ(*very_early, 1);
}

}  // namespace
