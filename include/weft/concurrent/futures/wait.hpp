#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <ranges>
#include <span>
#include <stop_token>
#include <type_traits>
#include <utility>
#include <vector>

#include <weft/concurrent/futures/future.hpp>
#include <weft/detail/future_group.hpp>
#include <weft/timeout.hpp>

namespace weft::detail {

template <class T>
inline constexpr bool is_future = false;
template <class T>
inline constexpr bool is_future<concurrent::futures::Future<T>> = true;

template <class Range>
concept range_of_futures = std::ranges::input_range<Range> &&
                           is_future<std::remove_cvref_t<std::ranges::range_reference_t<Range>>>;

template <range_of_futures Range>
using future_in = std::remove_cvref_t<std::ranges::range_reference_t<Range>>;

/// The futures of a range, each once, in the order of the range.
template <range_of_futures Range>
std::vector<future_in<Range>> without_repeats(Range&& futures) {
    std::vector<future_in<Range>> all;
    if constexpr (std::ranges::sized_range<Range>) all.reserve(std::ranges::size(futures));
    for (auto&& each : futures) all.push_back(each);
    std::vector<FutureState*> states;
    states.reserve(all.size());
    for (const auto& each : all) states.push_back(&FutureAccess::state(each));
    const std::vector<std::size_t> positions = positions_without_repeats(states);
    if (positions.size() == all.size()) return all;
    std::vector<future_in<Range>> once;
    once.reserve(positions.size());
    for (const std::size_t position : positions) once.push_back(std::move(all[position]));
    return once;
}

[[noreturn]] WEFT_API void throw_unfinished(std::size_t unfinished, std::size_t all);

}  // namespace weft::detail

namespace weft::concurrent::futures {

/// What wait() waits for.
enum class ReturnWhen : std::uint8_t { first_completed, first_exception, all_completed };

/// Until any future is finished or was cancelled.
inline constexpr ReturnWhen FIRST_COMPLETED = ReturnWhen::first_completed;
/// Until any future has failed; else as ALL_COMPLETED. A cancellation is not a failure.
inline constexpr ReturnWhen FIRST_EXCEPTION = ReturnWhen::first_exception;
/// Until every future is finished or was cancelled.
inline constexpr ReturnWhen ALL_COMPLETED = ReturnWhen::all_completed;

/// What wait() returns: each future once, in the order given.
template <class T>
struct DoneAndNotDoneFutures {
    std::vector<Future<T>> done = {};      ///< finished, or cancelled with the executor's knowledge
    std::vector<Future<T>> not_done = {};  ///< the others
};

}  // namespace weft::concurrent::futures

namespace weft::detail {

template <range_of_futures Range>
auto wait_within(Range&& fs, const WaitLimits& limits,
                 concurrent::futures::ReturnWhen return_when) {
    using Futures = future_in<Range>;
    auto all = without_repeats(std::forward<Range>(fs));
    std::vector<FutureState*> states;
    states.reserve(all.size());
    for (const auto& each : all) states.push_back(&FutureAccess::state(each));
    const auto what = return_when == concurrent::futures::FIRST_COMPLETED ? GroupWait::first_end
                      : return_when == concurrent::futures::FIRST_EXCEPTION
                          ? GroupWait::first_failure
                          : GroupWait::all_ends;
    wait_for_futures(states, what, limits);
    concurrent::futures::DoneAndNotDoneFutures<typename Futures::value_type> result;
    for (std::size_t i = 0; i < all.size(); ++i) {
        (is_over(*states[i]) ? result.done : result.not_done).push_back(std::move(all[i]));
    }
    return result;
}

}  // namespace weft::detail

namespace weft::concurrent::futures {

/// Blocks until the condition holds for the futures of a range, or `timeout` has passed (zero and
/// negative limits do not block), and returns which are done by then. Repeated futures count once;
/// no future is no wait. A time that is up is no error. Linear in their number. The futures end as
/// they would; nothing is cancelled.
///
/// Throws `std::bad_alloc` and weft::KeyboardInterrupt.
///
///     auto [done, not_done] = futures::wait(fs, 1s, futures::FIRST_COMPLETED);
template <weft::detail::range_of_futures Range>
auto wait(Range&& fs, Timeout timeout = {}, ReturnWhen return_when = ALL_COMPLETED) {
    return weft::detail::wait_within(
        std::forward<Range>(fs), {.deadline = weft::detail::Deadline::after(timeout)}, return_when);
}

/// The same; throws weft::Cancelled when `stop` is triggered first.
template <weft::detail::range_of_futures Range>
auto wait(Range&& fs, std::stop_token stop, Timeout timeout = {},
          ReturnWhen return_when = ALL_COMPLETED) {
    return weft::detail::wait_within(
        std::forward<Range>(fs),
        {.deadline = weft::detail::Deadline::after(timeout), .stop = &stop}, return_when);
}

/// The futures of a range as they end. What as_completed() returns; a range to be run through once,
/// by one thread.
template <class T>
class AsCompleted {
public:
    class Sentinel {};
    class Iterator {
    public:
        using value_type = Future<T>;
        using difference_type = std::ptrdiff_t;

        Iterator() noexcept = default;
        /// The future that has ended; this handle is the range's, and valid until the next step.
        Future<T>& operator*() const noexcept { return *range_->current_; }
        Iterator& operator++() {
            range_->advance();
            return *this;
        }
        void operator++(int) { range_->advance(); }
        friend bool operator==(const Iterator& iterator, Sentinel) noexcept {
            return iterator.is_at_end();
        }

    private:
        friend class AsCompleted;
        explicit Iterator(AsCompleted& range) noexcept : range_(&range) {}
        bool is_at_end() const noexcept { return !range_->current_.has_value(); }
        AsCompleted* range_ = nullptr;
    };

    AsCompleted(AsCompleted&&) noexcept = default;
    AsCompleted& operator=(AsCompleted&&) = delete;

    /// Waits for the first future.
    Iterator begin() {
        if (!current_.has_value() && yielded_ == 0) advance();
        return Iterator(*this);
    }
    Sentinel end() const noexcept { return {}; }

private:
    friend struct weft::detail::FutureAccess;

    AsCompleted(std::vector<Future<T>> futures, weft::detail::Deadline deadline,
                std::stop_token stop)
        : all_(futures.size()), deadline_(deadline), stop_(std::move(stop)), group_(all_) {
        for (auto& each : futures) {
            auto& state = weft::detail::FutureAccess::state(each);
            (group_.listen(state) ? pending_ : over_).push_back(std::move(each));
        }
    }

    void advance() {
        current_.reset();
        if (yielded_ == all_) return;
        if (yielded_ < over_.size()) {
            current_ = std::move(over_[yielded_++]);
            return;
        }
        std::size_t number = 0;
        const auto end = group_.wait_for_end(yielded_ - over_.size(), number,
                                             {.deadline = deadline_, .stop = &stop_});
        if (end == weft::detail::WaitEnd::timed_out) {
            weft::detail::throw_unfinished(all_ - yielded_, all_);
        }
        weft::detail::throw_if_stopped(end);
        ++yielded_;
        current_ = std::move(pending_[number]);
    }

    std::size_t all_;
    std::size_t yielded_ = 0;
    weft::detail::Deadline deadline_;
    std::stop_token stop_;
    std::vector<Future<T>> over_ = {};  ///< had ended before the call
    std::vector<Future<T>> pending_ =
        {};  ///< by their number in the group; moved from when yielded
    std::optional<Future<T>> current_ = std::nullopt;
    weft::detail::FutureGroup group_;  ///< last: it goes before the futures it listens to
};

/// Gives the futures of a range one after the other as they end: first those that are done now, in
/// the order given, then each as it is finished or its executor learns that it was cancelled. Each
/// comes once, and is let go with the next step. Linear in their number.
///
/// The step that finds that `timeout`, counted from this call, has passed, and no further future
/// done, throws TimeoutError, which says how many are left; the next step tries again. A step also
/// throws weft::KeyboardInterrupt. This call throws `std::bad_alloc`.
///
///     for (auto& each : futures::as_completed(fs)) use(each.result());
template <weft::detail::range_of_futures Range>
auto as_completed(Range&& fs, Timeout timeout = {}) {
    using T = typename weft::detail::future_in<Range>::value_type;
    return weft::detail::FutureAccess::as_completed<AsCompleted<T>>(
        weft::detail::without_repeats(std::forward<Range>(fs)),
        weft::detail::Deadline::after(timeout), std::stop_token());
}

/// The same; a step throws weft::Cancelled when `stop` is triggered while it waits.
template <weft::detail::range_of_futures Range>
auto as_completed(Range&& fs, std::stop_token stop, Timeout timeout = {}) {
    using T = typename weft::detail::future_in<Range>::value_type;
    return weft::detail::FutureAccess::as_completed<AsCompleted<T>>(
        weft::detail::without_repeats(std::forward<Range>(fs)),
        weft::detail::Deadline::after(timeout), std::move(stop));
}

}  // namespace weft::concurrent::futures
