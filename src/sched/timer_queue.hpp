#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include <weft/sched/event.hpp>

// The order of a scheduler's events. Not for several threads at once.
//
// An event is entered once and taken once, so keeping all of them sorted is work for nothing. Here
// they lie in piles that are ordered among each other, and a pile is sorted when it becomes the
// first:
//
//   front:  run_   sorted, consumed from run_next_ on
//           near_  a heap: what was entered since for a time within the front
//   levels_[0..7][0..255]   piles of what comes after the front
//   top_                    one pile of what comes after all levels
//
// Invariants, on keys (times mapped to integers that order alike):
//   1. run_ and near_ <= front_last_ < everything in levels_ and top_.
//   2. A key k in level l, digit d: reference_ and k agree in all bytes above byte l, and byte l of
//      k is d and greater than reference_'s, or l is 0. So lower levels come before higher ones,
//      and lower digits before higher ones: a radix heap.
//   3. Everything in levels_ agrees with reference_ in all bytes above top_level_; everything in
//      top_ is greater than that.
//
// When the front is empty, the first pile is spread over the level below, until it is small or
// sorted already; then it becomes the run. An event is moved at most once a level, and each pile of
// a few dozen is sorted once: entering is an append, and taking has a constant cost on average.
// What is entered for a time within the front goes into the heap, in logarithmic time; when more
// than half of all events lie there, all are piled up anew, which the entries since have paid for.
//
// A cancelled event stays where it is until it is met, or until most are cancelled and all are
// piled up anew without them. Until then its record's memory is kept; its content is not.

namespace weft::sched::detail {

class TimerQueue {
public:
    TimerQueue() noexcept = default;
    TimerQueue(const TimerQueue&) = delete;
    TimerQueue& operator=(const TimerQueue&) = delete;

    /// Adds a pending record, whose time, priority and sequence are set; its sequence is greater
    /// than all before. Throws `std::bad_alloc`; then nothing has changed.
    void insert(EventRecord& record);

    /// The first pending record, or null. Does not throw: without memory it takes longer.
    [[nodiscard]] EventRecord* first() noexcept;
    /// Takes the record off that first() has just returned.
    void pop() noexcept;

    /// Tells that one of the records here was made `cancelled`.
    void forget_one() noexcept;

    /// How many pending records there are.
    [[nodiscard]] std::size_t size() const noexcept { return entries_ - cancelled_; }

    /// Calls `visit` for each pending record, in no order. It must not throw.
    template <class Visit>
    void for_each(Visit visit) const {
        visit_piles(*this, [&](const Pile& pile, std::size_t begin) {
            for (std::size_t i = begin; i < pile.size(); ++i) {
                if (pile[i].record->state == EventRecord::State::pending) visit(*pile[i].record);
            }
        });
    }

    using Key = std::uint64_t;
    struct Entry {
        Key key;
        std::int64_t priority;
        EventRecord* record;
    };
    using Pile = std::vector<Entry>;

    /// Removes some entries, in no order; none when nothing is left. Their pending records are
    /// `taken` now.
    [[nodiscard]] Pile take_some() noexcept;

private:
    static constexpr std::size_t kDigits = 256;
    using Level = std::array<Pile, kDigits>;
    static constexpr int kLevels = 8;
    /// Below this many, a pile is sorted rather than spread.
    static constexpr std::size_t kSmall = 256;

    static Key key_of(double time) noexcept;
    // Types rather than functions, which the standard's algorithms would call through a pointer.
    struct IsBefore {
        bool operator()(const Entry& a, const Entry& b) const noexcept {
            if (a.key != b.key) return a.key < b.key;
            if (a.priority != b.priority) return a.priority < b.priority;
            return a.record->sequence < b.record->sequence;
        }
    };
    struct IsAfter {
        bool operator()(const Entry& a, const Entry& b) const noexcept { return IsBefore()(b, a); }
    };

    /// Calls `visit` with each pile, and with the index of its first entry that counts.
    template <class Self, class Visit>
    static void visit_piles(Self& self, Visit visit) {
        visit(self.run_, self.run_next_);
        visit(self.near_, std::size_t{0});
        for (auto& level : self.levels_) {
            if (level == nullptr) continue;
            for (auto& pile : *level) visit(pile, std::size_t{0});
        }
        visit(self.top_, std::size_t{0});
    }

    Pile& pile_after_front(Key key);
    bool advance_front() noexcept;
    void drop_cancelled(Pile& pile) noexcept;
    bool spread(Pile& pile, Key first_key, Key differing);
    void make_run(Pile& pile) noexcept;
    void pile_up_anew() noexcept;
    void begin_again() noexcept;
    void pop_entry() noexcept;
    [[nodiscard]] bool is_heap_first() const noexcept;

    Pile run_;
    std::size_t run_next_ = 0;
    Pile near_;
    std::array<std::unique_ptr<Level>, kLevels> levels_;
    std::array<std::array<std::uint64_t, kDigits / 64>, kLevels> used_{};  ///< piles with entries
    Pile top_;
    Key front_last_ = 0;
    Key reference_ = 0;
    int top_level_ = -1;       ///< the highest level in use; -1: none
    std::size_t entries_ = 0;  ///< in all piles, cancelled ones included
    std::size_t cancelled_ = 0;
};

}  // namespace weft::sched::detail
