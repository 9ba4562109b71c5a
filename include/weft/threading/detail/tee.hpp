#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <ranges>
#include <utility>

#include <weft/detail/atomic.hpp>
#include <weft/detail/config.hpp>
#include <weft/detail/slot.hpp>
#include <weft/threading/detail/items.hpp>

// The engine of concurrent_tee().
//
// State: a chain of places, each for one item, that ends in one place without an item. A place is
// filled once, in a turn of the source's, and has a place after it from then on; nothing in it
// changes any more. A position stands at the place whose item it has not seen.
//
// A place lives as long as a position stands at it or the place before it lives: so what has been
// seen by all is gone, and places are destroyed from the front, one after the other and never by
// recursion. Positions of different threads share nothing but the places and the source.

namespace weft::detail {

struct TeeAccess;

/// Throws `std::invalid_argument` for a negative number of iterators.
WEFT_API void check_tee_count(std::ptrdiff_t n);

template <class T>
class TeeSource {
public:
    TeeSource() = default;
    virtual ~TeeSource() = default;
    TeeSource(const TeeSource&) = delete;
    TeeSource& operator=(const TeeSource&) = delete;

    virtual std::optional<T> next() = 0;

    Turnstile turnstile;
};

template <class R>
class RangeTeeSource final : public TeeSource<std::ranges::range_value_t<R>> {
public:
    explicit RangeTeeSource(R&& range) : source_(std::move(range)) {}
    std::optional<std::ranges::range_value_t<R>> next() override { return source_.next(); }

private:
    ItemSource<R> source_;
};

template <class T>
struct TeePlace {
    Slot<T> item;
    Atomic<TeePlace*> next{nullptr};  ///< null: not filled yet
    Atomic<std::uint32_t> owners{1};  ///< positions here, and the place before
};

template <class T>
class TeePosition {
public:
    explicit TeePosition(std::shared_ptr<TeeSource<T>> source)
        : source_(std::move(source)), place_(new TeePlace<T>) {}
    TeePosition(TeePosition&& other) noexcept
        : source_(std::move(other.source_)), place_(std::exchange(other.place_, nullptr)) {}
    TeePosition& operator=(TeePosition&& other) noexcept {
        if (this != &other) {
            release(std::exchange(place_, std::exchange(other.place_, nullptr)));
            source_ = std::move(other.source_);
        }
        return *this;
    }
    ~TeePosition() { release(place_); }

    /// Another position at the same place.
    [[nodiscard]] TeePosition share() const noexcept {
        if (place_ != nullptr) place_->owners.fetch_add(1, std::memory_order_relaxed);
        return TeePosition(source_, place_);
    }

    /// The item here, and goes on; nothing at the end, and in what was moved from.
    std::optional<T> next() {
        std::optional<T> item;
        if (place_ == nullptr) return item;
        // Acquire pairs with the release in fill(): with the next place one sees the item.
        TeePlace<T>* next = place_->next.load(std::memory_order_acquire);
        if (next == nullptr) next = fill();
        if (next == nullptr) return item;
        // When this position is the only owner, nobody can come here any more. Acquire pairs with
        // the release of those who have read the item and gone on.
        if (place_->owners.load(std::memory_order_acquire) == 1) {
            item.emplace(std::move_if_noexcept(*place_->item));
            delete std::exchange(place_, next);  // its share of the next one becomes ours
        } else {
            item.emplace(std::as_const(*place_->item));
            next->owners.fetch_add(1, std::memory_order_relaxed);
            release(std::exchange(place_, next));
        }
        return item;
    }

private:
    TeePosition(std::shared_ptr<TeeSource<T>> source, TeePlace<T>* place) noexcept
        : source_(std::move(source)), place_(place) {}

    /// The place after this one, once this has an item; null at the end.
    TeePlace<T>* fill() {
        return source_->turnstile.in_turn([this]() -> TeePlace<T>* {
            TeePlace<T>* const filled = place_->next.load(std::memory_order_acquire);
            if (filled != nullptr) return filled;
            // Before the item is taken, so that none is lost for lack of memory.
            auto next = std::make_unique<TeePlace<T>>();
            std::optional<T> item = source_->next();
            if (!item) return nullptr;
            place_->item.fill([&]() -> T { return *std::move(item); });
            place_->next.store(next.get(), std::memory_order_release);
            return next.release();
        });
    }

    static void release(TeePlace<T>* place) noexcept {
        // Release: what was read here comes before its destruction. Acquire: by the last owner.
        while (place != nullptr && place->owners.fetch_sub(1, std::memory_order_acq_rel) == 1) {
            delete std::exchange(place, place->next.load(std::memory_order_relaxed));
        }
    }

    std::shared_ptr<TeeSource<T>> source_;
    TeePlace<T>* place_;
};

}  // namespace weft::detail
