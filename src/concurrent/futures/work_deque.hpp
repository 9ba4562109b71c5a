#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include <weft/detail/atomic.hpp>

namespace weft::concurrent::futures {

/// One worker's own tasks: it pushes and takes at the new end, thieves take at the old end.
///
/// The deque of Chase and Lev ("Dynamic circular work-stealing deque", 2005). Indices only grow;
/// the task with the index i is in the cell i % size of a ring, which the owner replaces by a
/// larger one when it is full. Old rings are kept until the end, since thieves may still read them;
/// together they are no larger than the last. Orders are sequentially consistent: the owner's store
/// of bottom_ must come before its load of top_ (take), and a push before its look for sleepers.
template <class Task>
class WorkDeque {
public:
    WorkDeque() = default;
    WorkDeque(const WorkDeque&) = delete;
    WorkDeque& operator=(const WorkDeque&) = delete;

    /// For the owner. Throws std::bad_alloc; nothing has changed then.
    void push(Task* task) {
        const std::int64_t bottom = bottom_.load(std::memory_order_relaxed);
        const std::int64_t top = top_.load(std::memory_order_acquire);
        Ring* ring = ring_.load(std::memory_order_relaxed);
        if (ring == nullptr || bottom - top >= ring->size) ring = grow(ring, top, bottom);
        ring->cell(bottom).store(task, std::memory_order_relaxed);
        bottom_.store(bottom + 1, std::memory_order_seq_cst);
    }

    /// For the owner: the newest, null for none.
    Task* take() noexcept {
        const std::int64_t bottom = bottom_.load(std::memory_order_relaxed) - 1;
        if (bottom < top_.load(std::memory_order_relaxed)) return nullptr;
        Ring* const ring = ring_.load(std::memory_order_relaxed);
        bottom_.store(bottom, std::memory_order_seq_cst);
        std::int64_t top = top_.load(std::memory_order_seq_cst);
        if (top < bottom) return ring->cell(bottom).load(std::memory_order_relaxed);
        Task* task = nullptr;
        // The last one: a thief may be after it.
        if (top == bottom && top_.compare_exchange_strong(top, top + 1, std::memory_order_seq_cst,
                                                          std::memory_order_relaxed)) {
            task = ring->cell(bottom).load(std::memory_order_relaxed);
        }
        bottom_.store(bottom + 1, std::memory_order_relaxed);
        return task;
    }

    /// For the owner: takes the newest if it is this one.
    bool take_if(Task* wanted) noexcept {
        const std::int64_t bottom = bottom_.load(std::memory_order_relaxed) - 1;
        if (bottom < top_.load(std::memory_order_relaxed)) return false;
        Ring* const ring = ring_.load(std::memory_order_relaxed);
        if (ring->cell(bottom).load(std::memory_order_relaxed) != wanted) return false;
        Task* const taken = take();
        return taken != nullptr;
    }

    /// For anybody: the oldest, null for none, or when another thread was quicker.
    Task* steal() noexcept {
        std::int64_t top = top_.load(std::memory_order_seq_cst);
        if (top >= bottom_.load(std::memory_order_seq_cst)) return nullptr;
        Ring* const ring = ring_.load(std::memory_order_acquire);
        Task* const task = ring->cell(top).load(std::memory_order_relaxed);
        return top_.compare_exchange_strong(top, top + 1, std::memory_order_seq_cst,
                                            std::memory_order_relaxed)
                   ? task
                   : nullptr;
    }

    [[nodiscard]] bool is_empty() const noexcept {
        const std::int64_t top = top_.load(std::memory_order_seq_cst);
        return top >= bottom_.load(std::memory_order_seq_cst);
    }
    [[nodiscard]] std::size_t size() const noexcept {
        const std::int64_t top = top_.load(std::memory_order_relaxed);
        const std::int64_t bottom = bottom_.load(std::memory_order_relaxed);
        return bottom > top ? static_cast<std::size_t>(bottom - top) : 0;
    }

private:
    struct Ring {
        explicit Ring(std::int64_t given)
            : size(given), cells(new detail::Atomic<Task*>[static_cast<std::size_t>(given)]) {}
        detail::Atomic<Task*>& cell(std::int64_t index) noexcept {
            return cells[static_cast<std::size_t>(index & (size - 1))];
        }
        const std::int64_t size;  ///< a power of two
        std::unique_ptr<detail::Atomic<Task*>[]> cells;
    };

    Ring* grow(Ring* old, std::int64_t top, std::int64_t bottom) {
        auto ring = std::make_unique<Ring>(old != nullptr ? old->size * 2 : 64);
        for (std::int64_t i = top; i < bottom; ++i) {
            ring->cell(i).store(old->cell(i).load(std::memory_order_relaxed),
                                std::memory_order_relaxed);
        }
        rings_.push_back(std::move(ring));
        // Release pairs with the acquire of thieves: the cells are filled.
        ring_.store(rings_.back().get(), std::memory_order_release);
        return rings_.back().get();
    }

    static constexpr std::size_t kCacheLine = 64;
    alignas(kCacheLine) detail::Atomic<std::int64_t> top_{0};
    alignas(kCacheLine) detail::Atomic<std::int64_t> bottom_{0};
    detail::Atomic<Ring*> ring_{nullptr};
    std::vector<std::unique_ptr<Ring>> rings_;  ///< the owner's
};

}  // namespace weft::concurrent::futures
