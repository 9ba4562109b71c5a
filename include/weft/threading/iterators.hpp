#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <functional>
#include <iterator>
#include <memory>
#include <optional>
#include <ranges>
#include <stdexcept>
#include <type_traits>
#include <utility>
#include <vector>

#include <weft/detail/config.hpp>
#include <weft/threading/detail/items.hpp>
#include <weft/threading/detail/tee.hpp>

namespace weft::threading {

/// One range, taken from by several threads: each item goes to exactly one of them.
///
/// Copies take from the same range, so that each thread may be handed one. next() and the members
/// below may be called by any threads at once, on one object or on copies. While one thread fetches
/// an item, which may take as long as the range wants, the others wait; nothing is buffered. What
/// happened in a thread's turn is seen by the turns after it. The range is destroyed with the last
/// copy.
///
///     threading::serialize_iterator jobs(read_jobs(file));     // a generator, a view, a container
///     threading::Thread worker([jobs] { for (Job& job : jobs) work(job); });
///
/// A range with a name is referred to and must live longer; a temporary is moved in. Of a container
/// that was moved in the items are moved out, all others are copied as `*iterator` gives them.
/// Nothing of the range is touched, and no generator runs, before the first item is asked for.
///
/// An exception goes to the thread in whose turn it was thrown; the others go on, and find that a
/// generator has ended. An item lost with it (its copy or its view's function has thrown) is
/// nobody's. If begin() throws, the range counts as ended.
///
/// The range must not come back to its own wrapper: that throws `std::runtime_error`, where Python
/// would wait for ever. After fork, a child of which another thread was in its turn cannot take any
/// more, as with a Lock.
template <std::ranges::input_range R>
class serialize_iterator : public std::ranges::view_base {
public:
    using value_type = std::ranges::range_value_t<R>;

    /// Wraps `range`; let the compiler deduce R. Throws `std::bad_alloc`, and what moving the range
    /// throws.
    explicit serialize_iterator(std::type_identity_t<R> range)
        : shared_(std::make_shared<Shared>(std::move(range))) {}

    /// The next item, for the calling thread alone; nothing when there are no more, then and ever
    /// after. Blocks while another thread is fetching one. Throws what the range throws,
    /// `std::runtime_error` when called from inside the range, and KeyboardInterrupt as a lock
    /// does, before anything was fetched.
    std::optional<value_type> next() const {
        return in_turn([](auto& source) { return source.next(); });
    }

    /// For `for` loops and views. begin() and each increment take an item by next(), which the
    /// iterator then holds; so a loop that breaks has lost none. Several loops may run at once.
    [[nodiscard]] auto begin() const {
        return weft::detail::ItemIterator<const serialize_iterator>(*this);
    }
    [[nodiscard]] std::default_sentinel_t end() const noexcept { return {}; }

    /// Calls the range's own send(), throw_() or close(), of those it has, in the same turns, and
    /// returns what it returns. After close() there are no more items.
    template <class Value>
        requires requires(R& range, Value&& value) {
            weft::detail::range_itself(range).send(std::forward<Value>(value));
        }
    auto send(Value&& value) const {
        return in_turn([&](auto& source) {
            return weft::detail::range_itself(source.range()).send(std::forward<Value>(value));
        });
    }
    template <class Exception>
        requires requires(R& range, Exception&& exception) {
            weft::detail::range_itself(range).throw_(std::forward<Exception>(exception));
        }
    auto throw_(Exception&& exception) const {
        return in_turn([&](auto& source) {
            return weft::detail::range_itself(source.range())
                .throw_(std::forward<Exception>(exception));
        });
    }
    auto close() const
        requires requires(R& range) { weft::detail::range_itself(range).close(); }
    {
        return in_turn([](auto& source) {
            source.finish();
            return weft::detail::range_itself(source.range()).close();
        });
    }

private:
    struct Shared {
        explicit Shared(R&& range) : source(std::move(range)) {}
        weft::detail::Turnstile turnstile;
        weft::detail::ItemSource<R> source;
    };

    template <class Function>
    auto in_turn(Function function) const {
        // A share of its own: the range may destroy the object it was called through.
        const std::shared_ptr<Shared> shared = shared_;
        return shared->turnstile.in_turn([&] { return function(shared->source); });
    }

    std::shared_ptr<Shared> shared_;
};

template <class Iterable>
serialize_iterator(Iterable&&) -> serialize_iterator<weft::detail::HeldRange<Iterable>>;

/// A function like `func`, which returns a range: what it returns is wrapped in a
/// serialize_iterator, a new one for each call. Any threads may call it at once if they may call
/// `func`. Throws what copying `func` throws.
///
///     auto events = threading::synchronized_iterator(stream_events);
///     auto today = events(2026);                              // as stream_events(2026), for all
///     threads
template <class Function>
[[nodiscard]] auto synchronized_iterator(Function&& func) {
    return [make = std::forward<Function>(func)]<class... Args>(Args&&... args)
        requires weft::detail::iterable<
            std::invoke_result_t<const std::decay_t<Function>&, Args...>>
    { return serialize_iterator(std::invoke(make, std::forward<Args>(args)...)); };
}

/// One of the iterators that concurrent_tee() has made from a range: it sees every item, in order,
/// at its own pace.
///
/// Each is for one thread at a time; different ones may be used by different threads at once. To
/// have several threads share one, wrap it with serialize_iterator. It can be moved but not copied:
/// concurrent_tee() makes more of it. An item that not all have seen yet is kept; the last to see
/// it gets it by move, the others by copy.
///
/// An exception of the range goes to the thread that was fetching. The others are not told: they
/// ask the range again, and find that a generator has ended.
template <std::copy_constructible T>
class ConcurrentTee : public std::ranges::view_base {
public:
    using value_type = T;

    /// The next item; nothing when there are no more. Blocks while another thread is fetching the
    /// one that is wanted. Throws what the range throws, then nothing was taken; what copying the
    /// item throws, then it comes again; `std::bad_alloc`; `std::runtime_error` when called from
    /// inside the range; and KeyboardInterrupt as a lock does.
    std::optional<T> next() { return position_.next(); }

    /// As for serialize_iterator. One loop at a time.
    [[nodiscard]] auto begin() { return weft::detail::ItemIterator<ConcurrentTee>(*this); }
    [[nodiscard]] std::default_sentinel_t end() const noexcept { return {}; }

private:
    friend struct weft::detail::TeeAccess;

    explicit ConcurrentTee(weft::detail::TeePosition<T>&& position) noexcept
        : position_(std::move(position)) {}

    weft::detail::TeePosition<T> position_;
};

}  // namespace weft::threading

namespace weft::detail {

struct TeeAccess {
    /// What a first iterator over the range holds.
    template <class Iterable>
    static auto start(Iterable&& iterable) {
        using Range = HeldRange<Iterable>;
        return TeePosition<std::ranges::range_value_t<Range>>(
            std::make_shared<RangeTeeSource<Range>>(Range(std::forward<Iterable>(iterable))));
    }
    template <class T>
    static const TeePosition<T>& start(const threading::ConcurrentTee<T>& tee) noexcept {
        return tee.position_;
    }
    template <class T>
    static const TeePosition<T>& start(threading::ConcurrentTee<T>& tee) noexcept {
        return tee.position_;
    }
    template <class T>
    static TeePosition<T> start(threading::ConcurrentTee<T>&& tee) noexcept {
        return std::move(tee.position_);
    }
    template <class T>
    static threading::ConcurrentTee<T> at(const TeePosition<T>& position) noexcept {
        return threading::ConcurrentTee<T>(position.share());
    }
};

}  // namespace weft::detail

namespace weft::threading {

/// N independent iterators over one range, two if not said otherwise:
///
///     auto [left, right] = threading::concurrent_tee(squares(5));
///     threading::Thread first(consume, std::move(left));
///
/// A range with a name is referred to and must live longer; a temporary is moved in. From a
/// ConcurrentTee the new ones go on where it is, over the same range. Throws `std::bad_alloc`, and
/// what moving the range throws.
template <std::size_t N = 2, class Iterable>
    requires weft::detail::iterable<Iterable>
[[nodiscard]] auto concurrent_tee(Iterable&& iterable) {
    const auto& start = weft::detail::TeeAccess::start(std::forward<Iterable>(iterable));
    const auto make = [&start](std::size_t) { return weft::detail::TeeAccess::at(start); };
    return [&make]<std::size_t... I>(std::index_sequence<I...>) {
        return std::array<decltype(make(0)), N>{make(I)...};
    }(std::make_index_sequence<N>());
}

/// The same with a number that is known at run time: as many in a vector, none for 0. Throws
/// `std::invalid_argument` when `n` is negative.
template <class Iterable>
    requires weft::detail::iterable<Iterable>
[[nodiscard]] auto concurrent_tee(Iterable&& iterable, std::ptrdiff_t n) {
    weft::detail::check_tee_count(n);
    const auto& start = weft::detail::TeeAccess::start(std::forward<Iterable>(iterable));
    std::vector<decltype(weft::detail::TeeAccess::at(start))> tees;
    tees.reserve(static_cast<std::size_t>(n));
    for (std::ptrdiff_t i = 0; i < n; ++i) tees.push_back(weft::detail::TeeAccess::at(start));
    return tees;
}

}  // namespace weft::threading
