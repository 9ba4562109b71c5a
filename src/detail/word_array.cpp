#include <weft/detail/word_array.hpp>

#include <algorithm>
#include <bit>

namespace weft::detail {

namespace {

/// The child of `hole` through which the way down to `goal` leads. Counted from one, a cell's
/// ancestors are the beginnings of its number in binary.
std::size_t child_towards(std::size_t hole, std::size_t goal) {
    const auto levels = std::bit_width(goal + 1) - std::bit_width(hole + 1);
    return ((goal + 1) >> (levels - 1)) - 1;
}

}  // namespace

void WordArray::adopt(Room& room) noexcept {
    const std::size_t old_capacity = capacity_.load(std::memory_order_relaxed);
    if (room.capacity <= old_capacity) return;
    std::uint64_t* const old = cells_.load(std::memory_order_relaxed);
    std::copy_n(old, size(), room.cells.get());
    // The memory before the capacity, so that a fork in between finds too little rather than too
    // much.
    cells_.store(room.cells.release(), std::memory_order_release);
    capacity_.store(room.capacity, std::memory_order_release);
    room.cells.reset(old);
    room.capacity = old_capacity;
}

WordArray::Contents WordArray::take_all() noexcept {
    Contents all;
    all.left_ = size();
    size_.store(0, std::memory_order_release);
    capacity_.store(0, std::memory_order_release);
    all.cells_.reset(cells_.exchange(nullptr, std::memory_order_acq_rel));
    return all;
}

void WordArray::mend() noexcept {
    if (way_.load(std::memory_order_acquire) != Way::none) finish_wandering();
}

void WordArray::wander(Way way, std::size_t from, std::size_t to, std::uint64_t word,
                       std::size_t new_size) noexcept {
    hole_.store(from, std::memory_order_relaxed);
    goal_ = to;
    word_ = word;
    new_size_ = new_size;
    // Release: a copy made by fork that has the way has all of the above.
    way_.store(way, std::memory_order_release);
    finish_wandering();
}

// Each step leaves the hole's old cell as it will stay, and the cell that it moves to as it was: so
// a step that was made, but not written down, can be made again.
void WordArray::finish_wandering() noexcept {
    std::uint64_t* const cells = cells_.load(std::memory_order_relaxed);
    const Way way = way_.load(std::memory_order_relaxed);
    std::size_t hole = hole_.load(std::memory_order_relaxed);
    while (hole != goal_) {
        const std::size_t next = way == Way::back ? hole - 1
                                 : way == Way::up ? (hole - 1) / 2
                                                  : child_towards(hole, goal_);
        cells[hole] = cells[next];
        hole = next;
        hole_.store(hole, std::memory_order_release);
    }
    cells[goal_] = word_;
    size_.store(new_size_, std::memory_order_release);
    way_.store(Way::none, std::memory_order_release);
}

}  // namespace weft::detail
