// Any bytes taken for a program of entering, cancelling and running events: a scheduler does what a
// sorted map does.

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <map>
#include <tuple>
#include <vector>

#include <weft/sched.hpp>

#include "support/check.hpp"

namespace {

class Input {
public:
    Input(const std::uint8_t* data, std::size_t size) : data_(data), size_(size) {}
    [[nodiscard]] bool is_over() const { return at_ >= size_; }
    std::uint8_t byte() { return is_over() ? std::uint8_t{0} : data_[at_++]; }
    double number() {
        std::uint64_t bits = 0;
        for (int i = 0; i < 8; ++i) bits = bits << 8 | byte();
        const double value = std::bit_cast<double>(bits);
        return std::isnan(value) ? 0.0 : value;
    }

private:
    const std::uint8_t* data_;
    std::size_t size_;
    std::size_t at_ = 0;
};

class Program {
public:
    explicit Program(Input input) : input_(input) {}

    void run() {
        while (!input_.is_over()) step();
        now_ = HUGE_VAL;
        run_due();
        WEFT_FUZZ_CHECK(model_.empty() && scheduler_.empty());
    }

private:
    struct Known {
        weft::sched::Event event;
        std::size_t number;
    };

    void step() {
        const std::uint8_t what = input_.byte();
        switch (what % 8) {
            case 0:
                enter(input_.number(), input_.byte() % 4);
                break;
            case 1:  // many at once, at small distances
                for (int i = 0; i < what; ++i) enter(now_ + (i * what % 17), i % 3);
                break;
            case 2:
                enter(now_ + input_.byte(), 0);
                break;
            case 3:
                enter(now_ - input_.byte(), 0);
                break;
            case 4:
                cancel(input_.byte());
                break;
            case 5:
                for (int i = 0; i < what / 4; ++i) cancel(static_cast<std::size_t>(i) * what);
                break;
            case 6:
                now_ += input_.byte();
                run_due();
                break;
            default:
                compare();
                break;
        }
    }
    void enter(double time, int priority) {
        const std::size_t number = entered_++;
        const auto event =
            scheduler_.enterabs(time, priority, [this, number] { ran_.push_back(number); });
        model_.emplace(std::tuple(time + 0.0, priority, event.sequence), Known{event, number});
    }
    void cancel(std::size_t which) {
        if (model_.empty()) return;
        const auto at =
            std::next(model_.begin(), static_cast<std::ptrdiff_t>(which % model_.size()));
        scheduler_.cancel(at->second.event);
        model_.erase(at);
    }
    void run_due() {
        if (std::isnan(now_)) now_ = 0.0;
        ran_.clear();
        const auto left = scheduler_.run(false);
        for (const std::size_t number : ran_) {
            WEFT_FUZZ_CHECK(!model_.empty() && model_.begin()->second.number == number);
            WEFT_FUZZ_CHECK(std::get<0>(model_.begin()->first) <= now_);
            model_.erase(model_.begin());
        }
        WEFT_FUZZ_CHECK(left.has_value() == !model_.empty());
        if (left) WEFT_FUZZ_CHECK(std::get<0>(model_.begin()->first) > now_);
    }
    void compare() const {
        const auto queue = scheduler_.queue();
        WEFT_FUZZ_CHECK(queue.size() == model_.size());
        auto expected = model_.begin();
        for (const auto& event : queue) WEFT_FUZZ_CHECK(event == (expected++)->second.event);
    }

    Input input_;
    double now_ = 0.0;
    weft::sched::scheduler scheduler_{[this] { return now_; }, [](double) {}};
    std::map<std::tuple<double, int, std::uint64_t>, Known> model_;
    std::vector<std::size_t> ran_;
    std::size_t entered_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    constexpr std::size_t kLongest = 4096;
    Program(Input(data, size < kLongest ? size : kLongest)).run();
    return 0;
}
