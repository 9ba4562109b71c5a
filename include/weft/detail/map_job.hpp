#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <new>
#include <optional>
#include <ranges>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>

#include <weft/detail/atomic.hpp>
#include <weft/detail/config.hpp>
#include <weft/detail/future_value.hpp>
#include <weft/detail/wait_list.hpp>

// What Executor::map() and its results share with the tasks that make the calls.
//
// The calls are numbered in the order of the inputs. Tasks, called drivers, take the next number
// each and make that call, until none is left: so a call costs no allocation and no way through a
// queue, and yet no call waits behind another that was grouped with it. An executor that says so
// gets a task for each call instead.

namespace weft::detail {

/// The part of a map that does not know its types.
class WEFT_API MapJob {
public:
    MapJob(const MapJob&) = delete;
    MapJob& operator=(const MapJob&) = delete;
    virtual ~MapJob() = default;

    /// Makes calls until none is left, or only one.
    void drive(bool only_one);

    /// How many drivers may run at once; 0: one for each call.
    void set_width(std::size_t width) noexcept;
    [[nodiscard]] bool has_driver_for_each() const noexcept { return width_ == 0; }
    /// Counts a further driver, which is to be submitted, if it is needed for the last input.
    [[nodiscard]] bool needs_driver() noexcept;

    /// Inputs up to this number, exclusively, are there. For the consumer.
    void make_available(std::size_t end) noexcept;
    [[nodiscard]] std::size_t available() const noexcept {
        return available_.load(std::memory_order_relaxed);
    }

    /// Blocks until this call has ended. Throws TimeoutError, CancelledError, KeyboardInterrupt,
    /// and std::runtime_error if its drivers are in the process that this one was forked from. A
    /// thread that runs tasks makes the call itself if nobody has begun it.
    void wait_for(std::size_t number, const WaitLimits& limits);

    /// No further call begins; whoever waits for one gets CancelledError.
    void cancel_rest() noexcept;

protected:
    MapJob() = default;

    /// Makes the call, keeps its outcome, and calls finish().
    virtual void run(std::size_t number) = 0;
    [[nodiscard]] virtual bool is_finished(std::size_t number) const noexcept = 0;
    /// The outcome is stored, sequentially consistent.
    void finish(std::size_t number) noexcept;

private:
    [[nodiscard]] bool claim(std::size_t& number) noexcept;
    [[nodiscard]] bool has_come_by_yielding(std::size_t number) noexcept;

    static constexpr std::size_t kNone = ~std::size_t{0};

    std::size_t width_ = 0;
    std::uint32_t generation_ = 0;  ///< the process whose threads make the calls; 0: any
    int patience_ = 8;              ///< the consumer's: how often it yields before it sleeps
    Atomic<std::size_t> drivers_{0};
    alignas(64) Atomic<std::size_t> next_{0};  ///< the first call that nobody has begun
    Atomic<std::size_t> available_{0};
    Atomic<std::size_t> cancelled_from_{kNone};
    alignas(64) Atomic<std::size_t> wanted_{kNone};  ///< what the consumer waits for
    WaitList waiters_;
};

/// The task that makes calls of a map. If it is dropped without having run, the rest is cancelled.
class MapDriver {
public:
    explicit MapDriver(std::shared_ptr<MapJob> job) noexcept : job_(std::move(job)) {}
    MapDriver(MapDriver&&) noexcept = default;
    MapDriver& operator=(MapDriver&&) = delete;
    ~MapDriver() {
        if (job_ != nullptr) job_->cancel_rest();
    }
    void operator()() {
        const std::shared_ptr<MapJob> job = std::move(job_);
        job->drive(job->has_driver_for_each());
    }

private:
    std::shared_ptr<MapJob> job_;
};

/// A map with results of one type: what its consumer sees of it.
template <class R>
class MapResultsJob : public MapJob {
public:
    /// What a result is kept as, and given as.
    using Stored = std::conditional_t<std::is_void_v<R>, std::monostate, StoredResult<R>>;

    /// The result of a call that has ended; throws what the call threw.
    [[nodiscard]] virtual Stored& outcome(std::size_t number) = 0;
    /// Releases the result, and takes a further input in its place, if there is one.
    virtual void replace(std::size_t number) = 0;
};

template <class R, class Function, class Pull, class Arguments>
class MapJobOf final : public MapResultsJob<R> {
public:
    using Stored = typename MapResultsJob<R>::Stored;

    /// `pull()` gives the arguments of the next call, or nothing. Takes up to `limit` inputs now.
    template <class GivenFunction>
    MapJobOf(GivenFunction&& function, Pull pull, std::size_t limit)
        : function_(std::forward<GivenFunction>(function)), pull_(std::move(pull)) {
        while (items_.size() < limit) {
            std::optional<Arguments> arguments = pull_();
            if (!arguments) {
                is_exhausted_ = true;
                break;
            }
            items_.emplace_back(std::move(*arguments));
        }
        this->make_available(items_.size());
    }

    [[nodiscard]] Stored& outcome(std::size_t number) override {
        Item& item = this->item(number);
        if (item.error != nullptr) std::rethrow_exception(item.error);
        return *item.result;
    }
    void replace(std::size_t number) override {
        Item& item = this->item(number);
        item.result.reset();
        if (is_exhausted_) return;
        item.arguments = pull_();
        if (!item.arguments) {
            is_exhausted_ = true;
            return;
        }
        item.is_finished.store(false, std::memory_order_relaxed);
        this->make_available(this->available() + 1);
    }

private:
    struct Item {
        explicit Item(Arguments given) : arguments(std::move(given)) {}
        std::optional<Arguments> arguments;
        std::optional<Stored> result = std::nullopt;
        std::exception_ptr error = nullptr;
        Atomic<bool> is_finished{false};
    };

    void run(std::size_t number) override {
        Item& item = this->item(number);
        try {
            std::apply(
                [&](auto&... arguments) {
                    if constexpr (std::is_void_v<R>) {
                        std::invoke(function_, std::move(arguments)...);
                        item.result.emplace();
                    } else if constexpr (std::is_reference_v<R>) {
                        item.result.emplace(
                            std::addressof(std::invoke(function_, std::move(arguments)...)));
                    } else {
                        item.result.emplace(std::invoke(function_, std::move(arguments)...));
                    }
                },
                *item.arguments);
        } catch (...) {
            item.error = std::current_exception();
            // There is none for the unwinding of a thread that ends: that must go on.
            if (item.error == nullptr) {
                item.error = ended_thread_error();
                end(item, number);
                throw;
            }
        }
        end(item, number);
    }
    void end(Item& item, std::size_t number) noexcept {
        item.arguments.reset();
        // seq_cst: the partner of the consumer's look after it has said what it waits for.
        item.is_finished.store(true, std::memory_order_seq_cst);
        this->finish(number);
    }
    [[nodiscard]] bool is_finished(std::size_t number) const noexcept override {
        return items_[number % items_.size()].is_finished.load(std::memory_order_seq_cst);
    }
    Item& item(std::size_t number) noexcept { return items_[number % items_.size()]; }

    Function function_;
    Pull pull_;
    std::deque<Item> items_ = {};  ///< fixed once the constructor has returned
    bool is_exhausted_ = false;
};

template <class View>
inline constexpr bool is_owning = false;
template <class Range>
inline constexpr bool is_owning<std::ranges::owning_view<Range>> = true;

/// The next elements of ranges that are run through together, to the end of the shortest.
template <class... Views>
class ZippedInputs {
public:
    using Arguments = std::tuple<std::ranges::range_value_t<Views>...>;

    explicit ZippedInputs(Views... views) : views_(std::move(views)...) {}

    std::optional<Arguments> operator()() {
        return std::apply(
            [&](Views&... views) {
                if (!at_) {
                    at_.emplace(std::ranges::begin(views)...);
                } else {
                    std::apply([](auto&... at) { (++at, ...); }, *at_);
                }
                return std::apply(
                    [&](auto&... at) -> std::optional<Arguments> {
                        if (((at == std::ranges::end(views)) || ...)) return std::nullopt;
                        return Arguments(element<Views>(at)...);
                    },
                    *at_);
            },
            views_);
    }

private:
    /// Of a range that is owned here, the element itself.
    template <class View, class Iterator>
    static decltype(auto) element(Iterator& at) {
        if constexpr (is_owning<View>) {
            return std::ranges::iter_move(at);
        } else {
            return *at;
        }
    }

    std::tuple<Views...> views_;
    std::optional<std::tuple<std::ranges::iterator_t<Views>...>> at_ = std::nullopt;
};

}  // namespace weft::detail
