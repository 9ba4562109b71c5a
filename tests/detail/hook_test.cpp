#include <weft/detail/hook.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <concepts>
#include <functional>
#include <latch>
#include <memory>
#include <stdexcept>
#include <thread>
#include <type_traits>
#include <vector>

namespace {

struct Args {
    std::vector<int>& calls;
};
using Hook = weft::detail::Hook<Args>;

void call_zero(const Args& args) {
    args.calls.push_back(0);
}
void call_one(const Args& args) {
    args.calls.push_back(1);
}

class HookOfArgs : public testing::Test {
protected:
    std::vector<int> called_by(const Hook& called) {
        std::vector<int> calls;
        called({calls});
        return calls;
    }
    Hook hook{call_zero};
};

static_assert(std::constructible_from<Hook, const Hook&>);
static_assert(std::is_assignable_v<Hook&, const Hook&>);
static_assert(std::is_assignable_v<Hook&, void (&)(const Args&)>);
static_assert(!std::is_assignable_v<Hook&, int>);
static_assert(!std::is_assignable_v<Hook&, void (&)(int)>);

constinit weft::detail::NeverDestroyed<Hook> constant{call_zero};

TEST_F(HookOfArgs, CallsTheOriginalAtFirst) {
    EXPECT_TRUE(hook.is_original());
    EXPECT_EQ(called_by(hook), std::vector{0});
    EXPECT_EQ(called_by(constant.value), std::vector{0});
}

TEST_F(HookOfArgs, CallsWhatWasAssignedLast) {
    hook = call_one;
    EXPECT_EQ(called_by(hook), std::vector{1});
    EXPECT_FALSE(hook.is_original());
    hook = [two = 2](const Args& args) { args.calls.push_back(two); };
    EXPECT_EQ(called_by(hook), std::vector{2});
}

TEST_F(HookOfArgs, TakesNothingForTheOriginal) {
    hook = call_one;
    hook = nullptr;
    EXPECT_EQ(called_by(hook), std::vector{0});
    hook = call_one;
    hook = std::function<void(const Args&)>();
    EXPECT_EQ(called_by(hook), std::vector{0});
    EXPECT_TRUE(hook.is_original());
}

TEST_F(HookOfArgs, IsCopiedAsItIsNow) {
    hook = call_one;
    auto old = hook;
    hook = nullptr;
    EXPECT_EQ(called_by(old), std::vector{1});
    EXPECT_EQ(called_by(hook), std::vector{0});
    hook = old;
    EXPECT_EQ(called_by(hook), std::vector{1});
}

TEST_F(HookOfArgs, TakesTheOriginalBackFromACopy) {
    const Hook original(hook);
    hook = call_one;
    hook = original;
    EXPECT_EQ(called_by(hook), std::vector{0});
}

TEST_F(HookOfArgs, StaysAsItIsWhenAssignedToItself) {
    hook = call_one;
    const Hook& same = hook;
    hook = same;
    EXPECT_EQ(called_by(hook), std::vector{1});
}

TEST_F(HookOfArgs, ReturnsTheOneBefore) {
    hook = call_one;
    const Hook before = hook.exchange([](const Args& args) { args.calls.push_back(2); });
    EXPECT_EQ(called_by(before), std::vector{1});
    EXPECT_EQ(called_by(hook), std::vector{2});
    const Hook second = hook.exchange({});
    EXPECT_EQ(called_by(second), std::vector{2});
    EXPECT_TRUE(hook.is_original());
}

TEST_F(HookOfArgs, PassesOnWhatTheFunctionThrows) {
    hook = [](const Args&) { throw std::out_of_range("thrown"); };
    EXPECT_THROW(called_by(hook), std::out_of_range);
    hook = call_one;
    EXPECT_EQ(called_by(hook), std::vector{1});
}

TEST_F(HookOfArgs, StaysAsItIsWhenTheCopyOfAFunctionThrows) {
    struct Uncopyable {
        Uncopyable() = default;
        Uncopyable(const Uncopyable&) { throw std::bad_alloc(); }
        void operator()(const Args&) const {}
    };
    hook = call_one;
    const Uncopyable uncopyable;
    EXPECT_THROW(hook = uncopyable, std::bad_alloc);
    EXPECT_EQ(called_by(hook), std::vector{1});
}

TEST_F(HookOfArgs, MayBeReplacedByTheFunctionThatItCalls) {
    auto alive = std::make_shared<int>(5);
    const std::weak_ptr<int> watched = alive;
    hook = [this, alive = std::move(alive)](const Args& args) {
        hook = call_one;
        args.calls.push_back(*alive);
    };
    EXPECT_EQ(called_by(hook), std::vector{5});
    EXPECT_TRUE(watched.expired());
    EXPECT_EQ(called_by(hook), std::vector{1});
}

TEST_F(HookOfArgs, DropsAFunctionWithItsLastCopy) {
    auto alive = std::make_shared<int>(0);
    const std::weak_ptr<int> watched = alive;
    hook = [alive = std::move(alive)](const Args&) {};
    {
        const Hook copy = hook;
        hook = nullptr;
        EXPECT_FALSE(watched.expired());
    }
    EXPECT_TRUE(watched.expired());
}

TEST_F(HookOfArgs, MayBeUsedByAFunctionThatIsBeingDropped) {
    struct CallsAtItsEnd {
        Hook* hook;
        std::vector<int>* calls;
        ~CallsAtItsEnd() { (*hook)({*calls}); }
    };
    std::vector<int> calls;
    auto at_end = std::make_shared<CallsAtItsEnd>(CallsAtItsEnd{&hook, &calls});
    calls.clear();  // the temporary above has called, too
    hook = [at_end = std::move(at_end)](const Args&) {};
    hook = call_one;
    EXPECT_EQ(calls, std::vector{1});
}

/// A function that knows whether it is used after its end.
class Tracked {
public:
    static inline std::atomic<int> alive{0};
    static inline std::atomic<int> used_dead{0};

    Tracked() { alive.fetch_add(1); }
    Tracked(const Tracked&) { alive.fetch_add(1); }
    ~Tracked() {
        mark_.store(0);
        alive.fetch_sub(1);
    }
    void operator()(const Args&) const {
        if (mark_.load() != kMark) used_dead.fetch_add(1);
    }

private:
    static constexpr int kMark = 0x5eed;
    std::atomic<int> mark_{kMark};
};

TEST(HookStress, IsReplacedCopiedAndCalledByFourThreadsAtOnce) {
    std::atomic<int> originals{0};
    constexpr int kRounds = 20'000;
    {
        Hook hook([](const Args&) {});
        std::latch start(4);
        const auto run = [&](auto step) {
            return std::jthread([&, step] {
                start.arrive_and_wait();
                for (int i = 0; i < kRounds; ++i) step(i);
            });
        };
        std::vector<int> calls;
        const std::jthread assigning = run([&](int) { hook = Tracked(); });
        const std::jthread resetting = run([&](int i) {
            if (i % 2 == 0) hook = nullptr;
            originals.fetch_add(hook.is_original() ? 1 : 0);
        });
        const std::jthread calling = run([&](int) { hook({calls}); });
        const std::jthread copying = run([&](int) {
            const Hook copy = hook;
            copy({calls});
            hook = copy;
        });
    }
    EXPECT_GT(originals, 0);
    EXPECT_EQ(Tracked::used_dead, 0);
    EXPECT_EQ(Tracked::alive, 0);
}

}  // namespace
