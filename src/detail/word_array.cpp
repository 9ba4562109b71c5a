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

void WordArray::shrink(Room& room, std::size_t held) noexcept {
    const std::size_t old_capacity = capacity_.load(std::memory_order_relaxed);
    // Meanwhile others may have put words, or shrunk the array further.
    if (room.capacity >= old_capacity || room.capacity / 2 < size() + held) return;
    std::uint64_t* const old = cells_.load(std::memory_order_relaxed);
    std::copy_n(old, size(), room.cells.get());
    // The capacity before the memory, for the same reason.
    capacity_.store(room.capacity, std::memory_order_release);
    cells_.store(room.cells.release(), std::memory_order_release);
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
    const Way way = way_.load(std::memory_order_acquire);
    if (way == Way::none) return;
    follow(hole_.load(std::memory_order_relaxed), [this, way](std::size_t hole) {
        if (way == Way::back) return hole - 1;
        if (way == Way::up) return (hole - 1) / 2;
        return child_towards(hole, goal_);
    });
}

}  // namespace weft::detail
