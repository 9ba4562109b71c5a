#pragma once

#include <atomic>
#include <cstddef>
#include <exception>
#include <memory>
#include <optional>
#include <ranges>
#include <stdexcept>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include <weft/concurrent/futures/errors.hpp>
#include <weft/concurrent/futures/future.hpp>
#include <weft/concurrent/futures/wait.hpp>

namespace weft::detail {

/// A result as a member of a tuple.
template <class T>
using combined_t = std::conditional_t<std::is_void_v<T>, std::monostate, T>;

template <class T>
combined_t<T> combined(const concurrent::futures::Future<T>& future) {
    if constexpr (std::is_void_v<T>) {
        future.result();
        return {};
    } else {
        return future.result();
    }
}

/// Makes a future that needs the end of all inputs belong to the process whose threads end the
/// first of them that belongs to any: in a child of fork() it is as unreachable as that one. For a
/// future that nobody else has seen.
template <class Result, class T>
void depend_on(const concurrent::futures::Future<Result>& result,
               const concurrent::futures::Future<T>& input) noexcept {
    const std::uint32_t generation = FutureAccess::state(input).generation();
    FutureState& state = FutureAccess::state(result);
    // Generations only grow.
    if (generation != 0 && !input.done() &&
        (state.generation() == 0 || generation < state.generation())) {
        state.set_generation(generation);
    }
}

/// Ends a future that somebody may have cancelled meanwhile.
template <class Set>
void end_unless_done(Set set) {
    try {
        set();
    } catch (const concurrent::futures::InvalidStateError&) {
        // Cancelled, or ended by a failure before.
    }
}

/// Why a future that is done has no result; null if it has.
template <class T>
std::exception_ptr why_not(const concurrent::futures::Future<T>& future) {
    if (!future.cancelled()) return future.exception();
    return std::make_exception_ptr(
        concurrent::futures::CancelledError("one of the futures was cancelled"));
}

/// Waits by callbacks until all inputs have a result, or the first has none.
template <class Result, class Inputs>
class WhenAll {
public:
    explicit WhenAll(Inputs given, std::size_t count) : inputs(std::move(given)), left_(count) {}

    template <class T>
    void one_is_done(const concurrent::futures::Future<T>& input) {
        std::exception_ptr error = why_not(input);
        const bool has_failed = error != nullptr;
        if (has_failed) end_unless_done([&] { result.set_exception(std::move(error)); });
        // Acquire and release: the last one sees what the others saw, so a failure too.
        const bool is_last = left_.fetch_sub(1, std::memory_order_acq_rel) == 1;
        if (is_last && !result.done()) end_unless_done([&] { set_result(); });
        // After a failure nobody looks at them; one that is never done would keep itself otherwise.
        if ((is_last || has_failed) && !is_let_go_.exchange(true, std::memory_order_acq_rel)) {
            inputs.reset();
        }
    }

    std::optional<Inputs> inputs;  ///< empty once all are done, or one has failed
    concurrent::futures::Future<Result> result;

private:
    void set_result() {
        if constexpr (std::is_void_v<Result>) {
            result.set_result();
        } else {
            // Gathering may throw too, InvalidStateError among others where a result was taken:
            // that is the outcome, unlike what set_result() throws.
            std::optional<Result> all;
            std::exception_ptr error;
            try {
                gather(all);
            } catch (...) {
                error = std::current_exception();
            }
            if (error != nullptr) return result.set_exception(std::move(error));
            result.set_result(std::move(*all));
        }
    }

    void gather(std::optional<Result>& all) const
        requires(!std::is_void_v<Result>)
    {
        if constexpr (requires { inputs->size(); }) {
            all.emplace().reserve(inputs->size());
            for (const auto& each : *inputs) all->push_back(each.result());
        } else {
            std::apply([&](const auto&... each) { all.emplace(combined(each)...); }, *inputs);
        }
    }

    std::atomic<std::size_t> left_;
    std::atomic<bool> is_let_go_{false};
};

}  // namespace weft::detail

namespace weft::concurrent::futures {

/// A future of the results of several, as a tuple of copies; `std::monostate` for void. It fails as
/// soon as the first of them fails or is cancelled; the others go on. Cancelling it changes nothing
/// for them. Throws `std::bad_alloc`.
///
///     auto [page, size] = futures::when_all(fetch, measure).result();
template <class... Ts>
    requires(sizeof...(Ts) != 0)
Future<std::tuple<detail::combined_t<Ts>...>> when_all(const Future<Ts>&... futures) {
    using Result = std::tuple<detail::combined_t<Ts>...>;
    using All = detail::WhenAll<Result, std::tuple<Future<Ts>...>>;
    const auto all = std::make_shared<All>(std::make_tuple(futures...), sizeof...(Ts));
    const Future<Result> result = all->result;
    (detail::depend_on(result, futures), ...);
    (futures.add_done_callback([all](const Future<Ts>& input) { all->one_is_done(input); }), ...);
    return result;
}

/// The same for a range of futures of one type: a vector of their results, in the order given;
/// nothing for void.
template <detail::range_of_futures Range>
auto when_all(Range&& futures) {
    using Input = detail::future_in<Range>;
    using T = typename Input::value_type;
    using Result = std::conditional_t<std::is_void_v<T>, void, std::vector<detail::combined_t<T>>>;
    using All = detail::WhenAll<Result, std::vector<Input>>;
    std::vector<Input> inputs;
    for (auto&& each : futures) inputs.push_back(each);
    const std::size_t count = inputs.size();
    const auto all = std::make_shared<All>(inputs, count);
    const Future<Result> result = all->result;
    if (count == 0) {
        if constexpr (std::is_void_v<Result>) {
            result.set_result();
        } else {
            result.set_result(Result());
        }
    }
    for (const Input& each : inputs) detail::depend_on(result, each);
    for (const Input& each : inputs) {
        each.add_done_callback([all](const Input& input) { all->one_is_done(input); });
    }
    return result;
}

/// How when_any() works; each member may be left out.
struct WhenAnyOptions {
    /// Whether those that have not begun when the first is done are cancelled, and those that run
    /// asked to stop.
    bool cancel_rest = false;
};

/// A future of the place, in the range, of the first future that is done, however it ended. Throws
/// `std::invalid_argument` for an empty range, and `std::bad_alloc`.
///
///     std::size_t first = futures::when_any(fs, {.cancel_rest = true}).result();
template <detail::range_of_futures Range>
Future<std::size_t> when_any(Range&& futures, WhenAnyOptions options = {}) {
    using Input = detail::future_in<Range>;
    auto inputs = std::make_shared<std::vector<Input>>();
    for (auto&& each : futures) inputs->push_back(each);
    if (inputs->empty()) throw std::invalid_argument("when_any: there is no future to wait for");
    const Future<std::size_t> result;
    // The callbacks share the list, which is emptied by the first of them.
    const auto claimed = std::make_shared<std::atomic<bool>>(false);
    const std::vector<Input> all = *inputs;
    for (std::size_t i = 0; i < all.size(); ++i) {
        all[i].add_done_callback([inputs, claimed, result, options, i](const Input&) {
            if (claimed->exchange(true)) return;
            const std::vector<Input> others = std::exchange(*inputs, {});
            detail::end_unless_done([&] { result.set_result(i); });
            if (!options.cancel_rest) return;
            for (const Input& each : others) {
                if (!each.cancel()) each.request_stop();
            }
        });
    }
    return result;
}

}  // namespace weft::concurrent::futures
