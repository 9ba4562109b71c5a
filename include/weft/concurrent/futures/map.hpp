#pragma once

#include <concepts>
#include <cstddef>
#include <functional>
#include <iterator>
#include <memory>
#include <optional>
#include <ranges>
#include <type_traits>
#include <utility>

#include <weft/concurrent/futures/future.hpp>
#include <weft/detail/map_job.hpp>
#include <weft/timeout.hpp>

namespace weft::concurrent::futures {

/// How map() works; each member may be left out.
struct MapOptions {
    /// How long after the call of map() the last result may be there.
    Timeout timeout = {};
    /// How many inputs an executor of other processes sends at once. The others start each call by
    /// itself, whatever it is, as Python's do.
    std::ptrdiff_t chunksize = 1;
    /// How many calls at most have been submitted, and their results not yet taken; then inputs are
    /// read only as results are taken. Nothing: any number, and all inputs are read at once.
    std::optional<std::ptrdiff_t> buffersize = std::nullopt;
};

}  // namespace weft::concurrent::futures

namespace weft::detail {

template <class Function, class... Ranges>
concept mappable = sizeof...(Ranges) != 0 &&
                   std::invocable<std::decay_t<Function>&, std::ranges::range_value_t<Ranges>...>;

template <class Function, class... Ranges>
using map_result_t = typename FutureResult<
    std::invoke_result_t<std::decay_t<Function>&, std::ranges::range_value_t<Ranges>...>>::type;

/// How many inputs map() reads before it returns. Throws std::invalid_argument.
[[nodiscard]] WEFT_API std::size_t inputs_at_once(const concurrent::futures::MapOptions& options);

}  // namespace weft::detail

namespace weft::concurrent::futures {

/// The results of a map(), in the order of its inputs: what Executor::map() returns. A range to be
/// run through once, by one thread; movable.
///
/// A step blocks until the next result is there. It throws what that call threw, TimeoutError once
/// the time is up, CancelledError when the executor has cancelled the call, and
/// weft::KeyboardInterrupt; after any of these the range is at its end, and calls that have not
/// begun are cancelled. They are also when the range is destroyed after its first step; a range
/// that nobody has looked at lets all calls be made. A result lives until the next step.
///
/// A function that returns nothing gives `std::monostate`s.
template <class R>
class MapResults {
    using Job = detail::MapResultsJob<R>;

public:
    using value_type =
        std::conditional_t<std::is_void_v<R>, std::monostate, std::remove_cvref_t<R>>;
    using reference = std::conditional_t<std::is_reference_v<R>, R, value_type&>;

    class Sentinel {};
    class Iterator {
    public:
        using value_type = typename MapResults::value_type;
        using difference_type = std::ptrdiff_t;

        Iterator() noexcept = default;
        reference operator*() const noexcept {
            if constexpr (std::is_reference_v<R>) {
                return static_cast<reference>(**range_->current_);
            } else {
                return *range_->current_;
            }
        }
        Iterator& operator++() {
            range_->advance();
            return *this;
        }
        void operator++(int) { range_->advance(); }
        friend bool operator==(const Iterator& iterator, Sentinel) noexcept {
            return iterator.is_at_end();
        }

    private:
        friend class MapResults;
        explicit Iterator(MapResults& range) noexcept : range_(&range) {}
        bool is_at_end() const noexcept { return range_->current_ == nullptr; }
        MapResults* range_ = nullptr;
    };

    MapResults(MapResults&&) noexcept = default;
    MapResults& operator=(MapResults&&) = delete;
    ~MapResults() {
        if (job_ != nullptr && has_begun_) job_->cancel_rest();
    }

    /// Waits for the first result.
    Iterator begin() {
        if (!has_begun_) advance();
        return Iterator(*this);
    }
    Sentinel end() const noexcept { return {}; }

private:
    friend class Executor;

    MapResults(std::shared_ptr<Job> job, detail::Deadline deadline, Executor* executor) noexcept
        : job_(std::move(job)), deadline_(deadline), executor_(executor) {}

    void advance() {
        const bool is_first = !std::exchange(has_begun_, true);
        try {
            if (!is_first) {
                current_ = nullptr;
                take_next_input();
                ++number_;
            }
            if (number_ >= job_->available()) return;
            job_->wait_for(number_, {.deadline = deadline_});
            current_ = &job_->outcome(number_);
        } catch (...) {
            job_->cancel_rest();
            number_ = job_->available();
            throw;
        }
    }
    void take_next_input() {
        if (number_ >= job_->available()) return;
        const std::size_t before = job_->available();
        job_->replace(number_);
        if (job_->available() != before) detail::FutureAccess::submit_driver(*executor_, job_);
    }

    std::shared_ptr<Job> job_;  ///< null once moved from
    detail::Deadline deadline_;
    Executor* executor_;      ///< null if all inputs were read at once
    std::size_t number_ = 0;  ///< of the current result
    bool has_begun_ = false;
    typename Job::Stored* current_ = nullptr;
};

}  // namespace weft::concurrent::futures
