#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <ranges>
#include <type_traits>
#include <utility>

#include <weft/detail/atomic.hpp>
#include <weft/detail/config.hpp>
#include <weft/detail/slot.hpp>
#include <weft/detail/thread_number.hpp>
#include <weft/threading/lock.hpp>

// What the iterator helpers share: a range as a source of items, one step at a time; the turns in
// which threads take such steps; and the range that a taker sees.

namespace weft::detail {

/// How a helper keeps the range it is given: what has a name stays where it is and is referred to,
/// unless it is a view that can be copied; anything else is moved in.
template <class Iterable>
using HeldRange = std::conditional_t<
    std::is_lvalue_reference_v<Iterable> && !(std::ranges::view<std::remove_cvref_t<Iterable>> &&
                                              std::copyable<std::remove_cvref_t<Iterable>>),
    std::ranges::ref_view<std::remove_reference_t<Iterable>>, std::remove_cvref_t<Iterable>>;

template <class Iterable>
concept iterable = (!std::is_lvalue_reference_v<Iterable> ||
                    std::ranges::range<std::remove_reference_t<Iterable>>) &&
                   std::ranges::input_range<HeldRange<Iterable>>;

/// The range as the user knows it.
template <class R>
R& range_itself(R& range) noexcept {
    return range;
}
template <class R>
R& range_itself(std::ranges::ref_view<R>& view) noexcept {
    return view.base();
}

template <class Range>
class ItemIterator;

template <class Iterator>
inline constexpr bool gives_its_item_away = false;
template <class Range>
inline constexpr bool gives_its_item_away<ItemIterator<Range>> = true;

/// A container that was moved in: what it holds is nobody else's. A class that refers to others'
/// items gives them out for change even when it is constant itself.
template <class R>
concept owned_container =
    std::ranges::forward_range<R> && !std::ranges::view<R> && std::ranges::forward_range<const R> &&
    std::same_as<std::ranges::range_reference_t<R>, std::ranges::range_value_t<R>&> &&
    std::same_as<std::ranges::range_reference_t<const R>, const std::ranges::range_value_t<R>&>;

/// A range from which one item after the other is taken. For one thread at a time.
///
/// States: fresh (begin() has not been called, so a generator has not run), standing (the item at
/// the iterator has been taken, or an exception came in its place), over (the end was reached, or
/// begin() has thrown). An item whose dereference throws is lost, and the next step goes on behind
/// it, as Python's map does. An increment that throws has ended the range if it is a generator; of
/// any other it is asked for again.
template <std::ranges::input_range R>
class ItemSource {
public:
    using Item = std::ranges::range_value_t<R>;

    explicit ItemSource(R&& range) : range_(std::move(range)) {}
    ItemSource(const ItemSource&) = delete;
    ItemSource& operator=(const ItemSource&) = delete;

    /// The next item, or nothing at the end and ever after. Throws what the range throws.
    std::optional<Item> next() {
        std::optional<Item> item;
        if (is_over_) return item;
        step();
        if (*at_ == *end_) {
            is_over_ = true;
        } else if constexpr (gives_its_item_away<std::ranges::iterator_t<R>> ||
                             owned_container<R>) {
            item.emplace(std::ranges::iter_move(*at_));
        } else {
            item.emplace(**at_);
        }
        return item;
    }

    void finish() noexcept { is_over_ = true; }
    [[nodiscard]] R& range() noexcept { return range_; }

private:
    void step() {
        if (!at_) {
            is_over_ = true;  // unless there is a beginning
            at_.emplace(std::ranges::begin(range_));
            end_.emplace(std::ranges::end(range_));
            is_over_ = false;
        } else if (*at_ != *end_) {
            ++*at_;
        }
    }

    R range_;
    std::optional<std::ranges::iterator_t<R>> at_;
    std::optional<std::ranges::sentinel_t<R>> end_;
    bool is_over_ = false;
};

/// One thread after the other.
class Turnstile {
public:
    /// Calls `function` while no other thread is in here; blocks until then. Throws
    /// `std::runtime_error` when the calling thread is in here already, since it would wait for
    /// itself; KeyboardInterrupt as a lock does; and what `function` throws.
    template <class Function>
    decltype(auto) in_turn(Function function) {
        // Relaxed: only the thread itself ever finds its own number here.
        if (inside_.load(std::memory_order_relaxed) == this_thread_number()) throw_inside();
        const threading::Guard held(lock_);
        const Inside inside(inside_);
        return function();
    }

private:
    struct Inside {
        explicit Inside(Atomic<std::uint64_t>& number) noexcept : number_(number) {
            number_.store(this_thread_number(), std::memory_order_relaxed);
        }
        ~Inside() { number_.store(0, std::memory_order_relaxed); }
        Inside(const Inside&) = delete;
        Inside& operator=(const Inside&) = delete;

    private:
        Atomic<std::uint64_t>& number_;
    };

    [[noreturn]] WEFT_API static void throw_inside();

    Atomic<std::uint64_t> inside_{0};
    threading::Lock lock_;
};

/// Takes items from a `Range` with a member next(), and holds the one it has taken last. After an
/// increment that has thrown it holds the one before, and may be incremented again.
template <class Range>
class ItemIterator {
public:
    using value_type = typename Range::value_type;
    using difference_type = std::ptrdiff_t;
    using iterator_concept = std::input_iterator_tag;

    /// Takes the first item.
    explicit ItemIterator(Range& range) : range_(&range) { take(); }
    ItemIterator(ItemIterator&&) = default;
    ItemIterator& operator=(ItemIterator&&) = default;

    /// The item is the taker's own, to change and to move from.
    [[nodiscard]] value_type& operator*() const noexcept { return *item_; }
    ItemIterator& operator++() {
        take();
        return *this;
    }
    void operator++(int) { take(); }
    [[nodiscard]] friend bool operator==(const ItemIterator& left, std::default_sentinel_t) {
        return !left.item_.has_value();
    }

private:
    void take() {
        std::optional<value_type> item = range_->next();
        item_.reset();
        if (item) item_.fill([&]() -> value_type { return *std::move(item); });
    }

    Range* range_;
    mutable Slot<value_type> item_;
};

}  // namespace weft::detail
