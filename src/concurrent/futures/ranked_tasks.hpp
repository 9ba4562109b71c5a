#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include <weft/detail/atomic.hpp>
#include <weft/detail/deadline.hpp>
#include <weft/detail/future_state.hpp>
#include <weft/threading/lock.hpp>

namespace weft::concurrent::futures {

/// Tasks in the order of their priorities, those of one level in the order of their arrival.
///
/// A task's place is fixed when it comes: the moment of its arrival, moved by `ageing` for each
/// level of its priority. So a task that has waited for `ageing` goes before all that come then and
/// are one level higher, and nothing that changes with time is kept. Without ageing the place is
/// the priority alone.
class RankedTasks {
public:
    explicit RankedTasks(Timeout ageing) noexcept : ageing_(ageing) {}

    /// Throws std::bad_alloc; nothing has changed then.
    void push(detail::FutureState& task) {
        threading::Guard held(lock_);
        const std::int64_t now = detail::now();
        if (pushed_ == 0) begun_.store(place(now, 0), std::memory_order_relaxed);
        heap_.push_back({place(now, task.priority()), pushed_, &task});
        std::push_heap(heap_.begin(), heap_.end(), &is_later);
        ++pushed_;
        note_change();
    }

    /// The first; null for none.
    detail::FutureState* pop() { return pop_before((std::numeric_limits<std::int64_t>::max)()); }
    /// The first, if it comes before a task of priority zero that came with the first push.
    detail::FutureState* pop_if_before_others() {
        return pop_before(begun_.load(std::memory_order_relaxed));
    }
    /// The first, if its priority is above zero.
    detail::FutureState* pop_if_urgent() {
        threading::Guard held(lock_);
        return heap_.empty() || heap_.front().task->priority() <= 0 ? nullptr : take_first();
    }

    // seq_cst: the partners of a worker's announcement that it is idle.
    [[nodiscard]] bool is_empty() const noexcept { return size() == 0; }
    [[nodiscard]] std::size_t size() const noexcept {
        return size_.load(std::memory_order_seq_cst);
    }
    /// Whether there ever was one: then tasks without a priority come here as well.
    [[nodiscard]] bool is_used() const noexcept { return is_used_.load(std::memory_order_relaxed); }

private:
    struct Entry {
        std::int64_t place;
        std::uint64_t number;
        detail::FutureState* task;
    };
    static bool is_later(const Entry& a, const Entry& b) noexcept {
        return a.place != b.place ? a.place > b.place : a.number > b.number;
    }
    [[nodiscard]] std::int64_t place(std::int64_t now, int priority) const noexcept {
        if (ageing_.is_none()) return -std::int64_t{priority};
        constexpr double kFar = 4e18;  // a double of this size converts back
        const double place =
            static_cast<double>(now) - priority * static_cast<double>(ageing_.length().count());
        return static_cast<std::int64_t>(std::clamp(place, -kFar, kFar));
    }
    detail::FutureState* pop_before(std::int64_t place) {
        threading::Guard held(lock_);
        return heap_.empty() || heap_.front().place >= place ? nullptr : take_first();
    }
    detail::FutureState* take_first() WEFT_REQUIRES(lock_) {
        std::pop_heap(heap_.begin(), heap_.end(), &is_later);
        detail::FutureState* const task = heap_.back().task;
        heap_.pop_back();
        note_change();
        return task;
    }
    void note_change() WEFT_REQUIRES(lock_) {
        is_used_.store(true, std::memory_order_relaxed);
        size_.store(heap_.size(), std::memory_order_seq_cst);
    }

    const Timeout ageing_;
    threading::Lock lock_;
    std::vector<Entry> heap_ WEFT_GUARDED_BY(lock_);
    std::uint64_t pushed_ WEFT_GUARDED_BY(lock_) = 0;
    detail::Atomic<std::size_t> size_{0};
    detail::Atomic<bool> is_used_{false};
    detail::Atomic<std::int64_t> begun_{0};
};

}  // namespace weft::concurrent::futures
