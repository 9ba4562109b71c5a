// The order of any events, entered, cancelled and run in any turn, against a sorted map.

#include <weft/sched.hpp>

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <iterator>
#include <limits>
#include <map>
#include <random>
#include <string>
#include <tuple>
#include <vector>

namespace {

using weft::sched::Event;
using weft::sched::scheduler;

/// A scheduler and a plain model of it, which must always agree.
class Pair {
public:
    void enter(double time, int priority) {
        const int number = next_++;
        const Event event = s_.enterabs(time, priority, [this, number] { ran_.push_back(number); });
        model_.emplace(std::tuple(time + 0.0, priority, event.sequence), Known{event, number});
    }
    void cancel(std::size_t which) {
        if (model_.empty()) return;
        const auto at =
            std::next(model_.begin(), static_cast<std::ptrdiff_t>(which % 32 % model_.size()));
        s_.cancel(at->second.event);
        model_.erase(at);
    }
    void cancel_last() {
        if (model_.empty()) return;
        s_.cancel(std::prev(model_.end())->second.event);
        model_.erase(std::prev(model_.end()));
    }
    /// Lets the clock come to the n-th event.
    void run(std::size_t events) {
        if (model_.empty()) return;
        const std::size_t last = (events < model_.size() ? events : model_.size()) - 1;
        now_ = std::get<0>(std::next(model_.begin(), static_cast<std::ptrdiff_t>(last))->first);
        ran_.clear();
        const auto left = s_.run(false);
        std::vector<int> expected;
        while (!model_.empty() && std::get<0>(model_.begin()->first) <= now_) {
            expected.push_back(model_.begin()->second.number);
            model_.erase(model_.begin());
        }
        ASSERT_EQ(ran_, expected);
        ASSERT_EQ(left.has_value(), !model_.empty());
        ASSERT_EQ(s_.empty(), model_.empty());
    }
    void compare_queues() const {
        const std::vector<Event> queue = s_.queue();
        ASSERT_EQ(queue.size(), model_.size());
        auto expected = model_.begin();
        for (const Event& event : queue) ASSERT_EQ(event, (expected++)->second.event);
    }
    [[nodiscard]] double now() const { return now_; }

private:
    struct Known {
        Event event;
        int number;
    };

    double now_ = 0.0;
    scheduler s_{[this] { return now_; }, [](double) {}};
    std::map<std::tuple<double, int, std::uint64_t>, Known> model_;
    std::vector<int> ran_;
    int next_ = 0;
};

struct Times {
    std::string name;
    std::function<double(std::mt19937_64&, double now)> next;
};

double any_number(std::mt19937_64& random) {
    const double number = std::bit_cast<double>(random());
    return std::isnan(number) ? -0.0 : number;
}

std::vector<Times> all_times() {
    using Random = std::mt19937_64;
    return {
        {"EvenlySpread",
         [](Random& r, double now) {
             return now + std::uniform_real_distribution<>(0.0, 3600.0)(r);
         }},
        {"FewTicks", [](Random& r, double now) { return now + static_cast<double>(r() % 4); }},
        {"AllTheSame", [](Random&, double) { return 17.0; }},
        {"EverLater", [t = 0.0](Random&, double) mutable { return t += 0.001; }},
        {"EverEarlier", [t = 0.0](Random&, double) mutable { return t -= 0.001; }},
        {"BeforeAndAfterNow",
         [](Random& r, double now) { return now + std::normal_distribution<>(0.0, 10.0)(r); }},
        {"OfAllMagnitudes",
         [](Random& r, double) {
             return std::exp(std::uniform_real_distribution<>(-700.0, 700.0)(r));
         }},
        {"AnyNumbers", [](Random& r, double) { return any_number(r); }},
        {"NearlyTheSame",
         [](Random& r, double) {
             double time = 1e6;
             for (auto steps = r() % 1000; steps != 0; --steps) time = std::nextafter(time, 2e6);
             return time;
         }},
        {"InBursts",
         [](Random& r, double now) {
             return now + (r() % 64 == 0 ? 1e6 : 1e-3) * static_cast<double>(r() % 1000);
         }},
    };
}

class SchedulerOrder : public testing::TestWithParam<Times> {};

TEST_P(SchedulerOrder, IsThatOfASortedMapWhateverIsEnteredCancelledAndRun) {
    for (const std::size_t batch : {std::size_t{3}, std::size_t{50}, std::size_t{3000}}) {
        auto next = GetParam().next;
        std::mt19937_64 random(batch);
        Pair pair;
        for (int round = 0; round < 12; ++round) {
            for (std::size_t i = 0; i < batch; ++i) {
                pair.enter(next(random, pair.now()), static_cast<int>(random() % 3));
                if (random() % 4 == 0) pair.cancel(random());
                if (random() % 64 == 0) {
                    ASSERT_NO_FATAL_FAILURE(pair.run(1 + random() % 4));
                }
            }
            ASSERT_NO_FATAL_FAILURE(pair.compare_queues());
            if (round % 3 == 2) {
                for (std::size_t i = 0; i < batch; ++i) pair.cancel_last();
            }
            ASSERT_NO_FATAL_FAILURE(pair.run(batch / 2 + 1));
        }
        ASSERT_NO_FATAL_FAILURE(pair.run(~std::size_t{0}));
    }
}

INSTANTIATE_TEST_SUITE_P(Times, SchedulerOrder, testing::ValuesIn(all_times()),
                         [](const auto& each) { return each.param.name; });

}  // namespace
