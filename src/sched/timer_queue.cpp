#include "sched/timer_queue.hpp"

#include <algorithm>
#include <bit>
#include <new>
#include <utility>

#include "os/cpu.hpp"

namespace weft::sched::detail {

namespace {

using State = EventRecord::State;

constexpr int kDigitBits = 8;

unsigned digit_of(std::uint64_t key, int level) noexcept {
    return static_cast<unsigned>(key >> (level * kDigitBits)) & 0xFFU;
}

/// The highest byte in which two keys differ; -1 when they are equal.
int level_of(std::uint64_t difference) noexcept {
    return (static_cast<int>(std::bit_width(difference)) - 1 + kDigitBits) / kDigitBits - 1;
}

/// All bits of a key in the bytes `level` and below.
std::uint64_t mask_up_to(int level) noexcept {
    return level >= 7 ? ~std::uint64_t{0} : (std::uint64_t{1} << ((level + 1) * kDigitBits)) - 1;
}

}  // namespace

TimerQueue::Key TimerQueue::key_of(double time) noexcept {
    // The bits of numbers of one sign order as the numbers do. Adding zero turns -0.0 into 0.0. No
    // number has the key 0, which is the front's end when nothing is in the front.
    const Key bits = std::bit_cast<Key>(time + 0.0);
    constexpr Key kSign = Key{1} << 63;
    return (bits & kSign) != 0 ? ~bits : bits | kSign;
}

void TimerQueue::insert(EventRecord& record) {
    const Entry entry{key_of(record.time), record.priority, &record};
    if (entry.key > front_last_) {
        pile_after_front(entry.key).push_back(entry);
        ++entries_;
        return;
    }
    near_.push_back(entry);
    std::push_heap(near_.begin(), near_.end(), IsAfter());
    ++entries_;
    if (near_.size() > kSmall && near_.size() > entries_ / 2) pile_up_anew();
}

TimerQueue::Pile& TimerQueue::pile_after_front(Key key) {
    const int level = level_of(key ^ reference_);
    if (level > top_level_) return top_;
    // Equal to the reference: the first pile of all.
    const auto at = static_cast<std::size_t>(level < 0 ? 0 : level);
    const unsigned digit = digit_of(key, static_cast<int>(at));
    if (levels_[at] == nullptr) levels_[at] = std::make_unique<Level>();
    Pile& pile = (*levels_[at])[digit];
    // Set before the caller appends: a pile that is marked and empty is passed over.
    used_[at][digit / 64] |= std::uint64_t{1} << (digit % 64);
    return pile;
}

bool TimerQueue::is_heap_first() const noexcept {
    if (near_.empty()) return false;
    return run_next_ == run_.size() || IsBefore()(near_.front(), run_[run_next_]);
}

EventRecord* TimerQueue::first() noexcept {
    for (;;) {
        if (run_next_ == run_.size() && near_.empty()) {
            if (!advance_front()) return nullptr;
            continue;
        }
        EventRecord& record = *(is_heap_first() ? near_.front() : run_[run_next_]).record;
        if (record.state == State::pending) return &record;
        pop_entry();
        --cancelled_;
        record.drop_entry();
    }
}

void TimerQueue::pop() noexcept {
    pop_entry();
}

void TimerQueue::pop_entry() noexcept {
    --entries_;
    if (is_heap_first()) {
        std::pop_heap(near_.begin(), near_.end(), IsAfter());
        near_.pop_back();
        return;
    }
    // What comes next was entered long ago, and its record has left the cache.
    constexpr std::size_t kAhead = 8;
    if (run_next_ + kAhead < run_.size()) os::prefetch(run_[run_next_ + kAhead].record);
    ++run_next_;
}

TimerQueue::Pile TimerQueue::take_some() noexcept {
    run_.erase(run_.begin(), run_.begin() + static_cast<std::ptrdiff_t>(run_next_));
    run_next_ = 0;
    Pile some;
    visit_piles(*this, [&](Pile& pile, std::size_t) {
        if (some.empty()) some.swap(pile);
    });
    entries_ -= some.size();
    for (const Entry& entry : some) {
        if (entry.record->state == State::pending) {
            entry.record->state = State::taken;
        } else {
            --cancelled_;
        }
    }
    return some;
}

void TimerQueue::forget_one() noexcept {
    ++cancelled_;
    constexpr std::size_t kFew = 512;
    if (cancelled_ > kFew && cancelled_ > entries_ / 2) pile_up_anew();
}

void TimerQueue::begin_again() noexcept {
    run_.clear();
    run_next_ = 0;
    front_last_ = 0;
    reference_ = 0;
    top_level_ = -1;
}

bool TimerQueue::advance_front() noexcept {
    for (;;) {
        Pile* pile = nullptr;
        int level = 0;
        unsigned digit = 0;
        for (; level <= top_level_ && pile == nullptr; ++level) {
            auto& words = used_[static_cast<std::size_t>(level)];
            for (std::size_t word = 0; word < words.size() && pile == nullptr; ++word) {
                while (words[word] != 0) {
                    digit = static_cast<unsigned>(word * 64) +
                            static_cast<unsigned>(std::countr_zero(words[word]));
                    words[word] &= words[word] - 1;
                    Pile& marked = (*levels_[static_cast<std::size_t>(level)])[digit];
                    if (marked.empty()) continue;
                    pile = &marked;
                    break;
                }
            }
            if (pile != nullptr) break;
        }
        const bool is_top = pile == nullptr;
        if (is_top) {
            top_level_ = -1;
            if (top_.empty()) {
                begin_again();
                return false;
            }
            pile = &top_;
        }
        // A look at each record pays when it spares sorting many, and in the order of entry the
        // look is cheap.
        if (cancelled_ > entries_ / 8) {
            drop_cancelled(*pile);
            if (pile->empty()) continue;
        }
        const Key first_key = pile->front().key;
        Key differing = 0;
        bool is_sorted = true;
        for (std::size_t i = 1; i < pile->size(); ++i) {
            differing |= (*pile)[i].key ^ first_key;
            is_sorted = is_sorted && !IsBefore()((*pile)[i], (*pile)[i - 1]);
        }
        if (!is_sorted && pile->size() > kSmall && differing != 0) {
            if (spread(*pile, first_key, differing)) continue;
        }
        if (!is_sorted) std::sort(pile->begin(), pile->end(), IsBefore());
        // The front ends where the pile's range ends, so that the other piles keep their places.
        front_last_ = is_top ? pile->back().key : first_key | mask_up_to(level - 1);
        reference_ = front_last_;
        make_run(*pile);
        return true;
    }
}

void TimerQueue::drop_cancelled(Pile& pile) noexcept {
    const std::size_t dropped = std::erase_if(pile, [](const Entry& entry) {
        if (entry.record->state == State::pending) return false;
        entry.record->drop_entry();
        return true;
    });
    entries_ -= dropped;
    cancelled_ -= dropped;
}

bool TimerQueue::spread(Pile& pile, Key first_key, Key differing) {
    const int level = level_of(differing);
    std::array<std::uint32_t, kDigits> counts{};
    for (const Entry& entry : pile) ++counts[digit_of(entry.key, level)];
    auto& home = levels_[static_cast<std::size_t>(level)];
    try {
        if (home == nullptr) home = std::make_unique<Level>();
        for (std::size_t digit = 0; digit < kDigits; ++digit) {
            if (counts[digit] != 0) (*home)[digit].reserve(counts[digit]);
        }
    } catch (const std::bad_alloc&) {
        return false;  // the pile can always be sorted where it lies
    }
    auto& words = used_[static_cast<std::size_t>(level)];
    for (std::size_t digit = 0; digit < kDigits; ++digit) {
        if (counts[digit] != 0) words[digit / 64] |= std::uint64_t{1} << (digit % 64);
    }
    for (const Entry& entry : pile) (*home)[digit_of(entry.key, level)].push_back(entry);
    if (&pile == &top_) {
        top_level_ = level;
        pile.clear();
    } else {
        Pile().swap(pile);
    }
    reference_ = first_key & ~mask_up_to(level);
    front_last_ = reference_ - 1;
    return true;
}

void TimerQueue::make_run(Pile& pile) noexcept {
    run_.clear();
    run_next_ = 0;
    run_.swap(pile);
}

void TimerQueue::pile_up_anew() noexcept {
    Pile all;
    try {
        all.reserve(size());
    } catch (const std::bad_alloc&) {
        return;  // it stays as it is: in order, but larger and slower
    }
    visit_piles(*this, [&](const Pile& pile, std::size_t begin) {
        for (std::size_t i = begin; i < pile.size(); ++i) {
            const Entry& entry = pile[i];
            if (entry.record->state == State::pending) {
                all.push_back(entry);
            } else {
                entry.record->drop_entry();
            }
        }
    });
    for (auto& level : levels_) {
        if (level == nullptr) continue;
        for (Pile& pile : *level) Pile().swap(pile);
    }
    used_ = {};
    run_.clear();
    run_next_ = 0;
    near_.clear();
    top_.swap(all);
    entries_ = top_.size();
    cancelled_ = 0;
    front_last_ = 0;
    reference_ = 0;
    top_level_ = -1;
}

}  // namespace weft::sched::detail
