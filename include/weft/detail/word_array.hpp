#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

#include <weft/detail/atomic.hpp>
#include <weft/detail/config.hpp>
#include <weft/detail/word_queue.hpp>

namespace weft::detail {

/// An array of 64-bit words that grows, and the two orders in which LifoQueue and PriorityQueue
/// keep theirs. All members are called with the queue's lock held, but for make_room().
///
/// A fork may copy the array at any moment. Whatever takes more than one store is therefore written
/// down first, as a hole that wanders to a goal, and every step can be done again: the child's
/// mend() goes on where the parent's thread was.
class WordArray {
public:
    using Entry = std::uint64_t;
    using Taken = WordQueue::Taken;
    using Returned = WordQueue::Returned;

    /// Memory for words.
    struct Room {
        std::unique_ptr<std::uint64_t[]> cells;
        std::size_t capacity = 0;
    };

    /// Words that were taken out all at once.
    class Contents {
    public:
        [[nodiscard]] bool next(std::uint64_t& word) noexcept {
            if (left_ == 0) return false;
            word = cells_[--left_];
            return true;
        }

    private:
        friend class WordArray;
        std::unique_ptr<std::uint64_t[]> cells_;
        std::size_t left_ = 0;
    };

    constexpr WordArray() noexcept = default;
    WordArray(const WordArray&) = delete;
    WordArray& operator=(const WordArray&) = delete;
    ~WordArray() { delete[] cells_.load(std::memory_order_relaxed); }

    [[nodiscard]] std::size_t size() const noexcept {
        return size_.load(std::memory_order_relaxed);
    }
    /// True when a word may be added while `held` others that are out may come back.
    [[nodiscard]] bool has_room(std::size_t held) const noexcept {
        return size() + held < capacity_.load(std::memory_order_relaxed);
    }
    /// How much room to make when there is too little.
    [[nodiscard]] std::size_t next_capacity() const noexcept {
        const std::size_t capacity = capacity_.load(std::memory_order_relaxed);
        return capacity == 0 ? kFirstCapacity : 2 * capacity;
    }
    /// The capacity to shrink to, so that memory taken in a burst is given back; zero: none. True
    /// of a power of two of words that fill a quarter or less, so that a shrinking that came to
    /// nothing is not tried again at once.
    [[nodiscard]] std::size_t sparse_capacity(std::size_t held) const noexcept {
        const std::size_t used = size() + held;
        const std::size_t capacity = capacity_.load(std::memory_order_relaxed);
        if (used < kFirstCapacity || used > capacity / 4 || !std::has_single_bit(used)) return 0;
        return 2 * used;
    }
    /// Throws `std::bad_alloc`.
    [[nodiscard]] static Room make_room(std::size_t capacity) {
        return {.cells = std::unique_ptr<std::uint64_t[]>(new std::uint64_t[capacity]),
                .capacity = capacity};
    }
    /// Moves into the room, if that is larger; the smaller of the two is in `room` afterwards.
    WEFT_API void adopt(Room& room) noexcept;
    /// Moves into the room, if that is smaller but still large enough for as many words again; the
    /// memory that is left over is in `room` afterwards.
    WEFT_API void shrink(Room& room, std::size_t held) noexcept;
    [[nodiscard]] WEFT_API Contents take_all() noexcept;
    /// Takes a word that is there, whichever is the easiest.
    void remove_any(Taken& taken) noexcept { taken.word = remove_last(); }
    /// Finishes what a thread was doing that a fork cut off.
    WEFT_API void mend() noexcept;

    static constexpr bool is_drained_one_by_one = false;

protected:
    [[nodiscard]] std::uint64_t at(std::size_t index) const noexcept {
        return cells_.load(std::memory_order_relaxed)[index];
    }
    /// Adds a word behind the last.
    void append(std::uint64_t word) noexcept {
        const std::size_t end = size();
        cells_.load(std::memory_order_relaxed)[end] = word;
        size_.store(end + 1, std::memory_order_release);
    }
    std::uint64_t remove_last() noexcept {
        const std::size_t last = size() - 1;
        const std::uint64_t word = at(last);
        size_.store(last, std::memory_order_release);
        return word;
    }

    /// How the hole gets to the goal, each step by a word that moves into the hole.
    enum class Way : std::uint8_t {
        none,
        back,  ///< from cell to cell, towards the first
        up,    ///< in a heap, towards the root
        down,  ///< in a heap, from the root to the goal
    };
    /// Moves the hole from `from` to `to`, puts the word there, and sets the size. `step` gives the
    /// cell that follows one on the way.
    template <class Step>
    void wander(Way way, std::size_t from, std::size_t to, std::uint64_t word, std::size_t new_size,
                Step step) {
        hole_.store(from, std::memory_order_relaxed);
        goal_ = to;
        word_ = word;
        new_size_ = new_size;
        // Release: a copy made by fork that has the way has all of the above.
        way_.store(way, std::memory_order_release);
        follow(from, step);
    }

private:
    static constexpr std::size_t kFirstCapacity = 16;

    // Each step leaves the hole's old cell as it will stay, and the cell that it moves to as it
    // was: so a step that was made, but not written down, can be made again.
    template <class Step>
    void follow(std::size_t hole, Step step) {
        std::uint64_t* const cells = cells_.load(std::memory_order_relaxed);
        while (hole != goal_) {
            const std::size_t next = step(hole);
            cells[hole] = cells[next];
            hole = next;
            hole_.store(hole, std::memory_order_release);
        }
        cells[hole] = word_;
        size_.store(new_size_, std::memory_order_release);
        way_.store(Way::none, std::memory_order_release);
    }

    Atomic<std::uint64_t*> cells_{nullptr};
    Atomic<std::size_t> capacity_{0};
    Atomic<std::size_t> size_{0};
    Atomic<Way> way_{Way::none};  ///< not `none`: the next four say what has to be done
    Atomic<std::size_t> hole_{0};
    std::size_t goal_ = 0;
    std::size_t new_size_ = 0;
    std::uint64_t word_ = 0;
};

/// Last in, first out.
class WordStack : public WordArray {
public:
    void push(std::uint64_t word, Returned* place, std::uint64_t index) noexcept {
        if (place != nullptr) place->index = index;
        append(word);
    }
    void pop(Taken& taken) noexcept { taken.word = remove_last(); }
    /// Puts a word back to where it was, under those that were put later. `place_of` gives the
    /// place of another word.
    template <class PlaceOf>
    void put_back(std::uint64_t word, PlaceOf place_of) noexcept {
        const std::uint64_t index = place_of(word).index;
        std::size_t to = size();
        while (to != 0 && place_of(at(to - 1)).index > index) --to;
        wander(Way::back, size(), to, word, size() + 1, [](std::size_t hole) { return hole - 1; });
    }
};

/// The least word first, as `IsLess` says, which is called with two words and may throw: nothing
/// has changed then.
template <class IsLess>
class WordHeap : public WordArray {
public:
    explicit WordHeap(IsLess is_less) : is_less_(std::move(is_less)) {}

    void push(std::uint64_t word, Returned* /*place*/, std::uint64_t /*index*/) {
        const std::size_t end = size();
        const std::size_t to = rise(word, end);
        if (to == end) {
            append(word);
            return;
        }
        wander(Way::up, end, to, word, end + 1, [](std::size_t hole) { return (hole - 1) / 2; });
    }

    void pop(Taken& taken) {
        const std::size_t rest = size() - 1;
        const std::uint64_t first = at(0);
        if (rest == 0) {
            taken.word = remove_last();
            return;
        }
        const std::uint64_t last = at(rest);
        // Along the lesser children to the bottom, where the last word most likely belongs, and
        // from there up. All of them are going to move up by one.
        std::size_t way_down[kMostLevels];
        std::size_t* next = way_down;
        std::size_t hole = 0;
        for (std::size_t child = 1; child < rest; child = 2 * hole + 1) {
            if (child + 1 < rest && is_less_(at(child + 1), at(child))) ++child;
            hole = child;
            *next++ = hole;
        }
        while (hole != 0 && is_less_(last, at(hole))) hole = (hole - 1) / 2;
        next = way_down;
        wander(Way::down, 0, hole, last, rest, [&next](std::size_t) { return *next++; });
        taken.word = first;
    }

    /// Puts a word back. When it cannot be compared, it stands behind all others.
    template <class PlaceOf>
    void put_back(std::uint64_t word, PlaceOf /*place_of*/) noexcept {
        try {
            push(word, nullptr, 0);
        } catch (...) {
            append(word);
        }
    }

private:
    static constexpr std::size_t kMostLevels = 64;

    /// Where a word belongs between the root and a hole.
    std::size_t rise(std::uint64_t word, std::size_t hole) {
        while (hole != 0) {
            const std::size_t parent = (hole - 1) / 2;
            if (!is_less_(word, at(parent))) break;
            hole = parent;
        }
        return hole;
    }

    [[no_unique_address]] IsLess is_less_;
};

}  // namespace weft::detail
