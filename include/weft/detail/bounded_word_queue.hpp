#pragma once

#include <cstddef>
#include <cstdint>

#include <weft/detail/config.hpp>
#include <weft/detail/passage.hpp>
#include <weft/detail/task_count.hpp>
#include <weft/detail/word_queue.hpp>

namespace weft::detail {

/// A WordQueue with a bound, an end and a count of tasks: what queue::Queue is below its types.
///
/// A put and a get cost what they cost in a WordQueue. All that is new is found on the slow paths,
/// and the fast ones are led there: `tail_limit_` also stands where the bound is reached, as far as
/// was known when it was set, and at the tail once the queue is shut down; `ready_` is zero while a
/// producer is listed. docs/decisions/0005-bounded-queues.md has the choice.
///
/// A consumer that frees a place looks, with head_lock_ held, whether producers are listed. A
/// producer first enters the list and then takes head_lock_, in order to set `ready_` to zero. So
/// either it does that after the consumer, and sees the place, or before, and is seen.
///
/// Where an item's move may throw, its place stays taken until it is out (`held_`), so that it can
/// come back without exceeding the bound. A thread that forks in such a move finds its word's place
/// free in the child, where it belongs to nobody that the child has: the word then does not come
/// back there.
///
/// A fork in the middle of an immediate shutdown leaves the child with some words or none, and with
/// the tasks of those that vanished unfinished.
///
/// Locks, in the order in which they may be held together: tail_lock_, head_lock_, a list's.
class BoundedWordQueue : private WordQueue {
public:
    using WordQueue::Returned;
    using WordQueue::Taken;
    using Entry = std::uint64_t;

    /// What an immediate shutdown took out, for its caller to destroy with no lock held.
    class Contents {
    public:
        Contents() noexcept = default;
        Contents(const Contents&) = delete;
        Contents& operator=(const Contents&) = delete;
        WEFT_API ~Contents();
        /// The next word; false when there is none.
        WEFT_API bool next(std::uint64_t& word) noexcept;

    private:
        friend class BoundedWordQueue;
        void leave_chunk() noexcept;

        BoundedWordQueue* queue_ = nullptr;  ///< null: nothing was taken out
        Returned* returned_ = nullptr;
        Link* chunk_ = nullptr;
        std::uint64_t index_ = 0;
        std::uint64_t end_ = 0;
    };

    /// `maxsize`: the bound; none when zero or negative.
    explicit constexpr BoundedWordQueue(std::int64_t maxsize) noexcept : maxsize_(maxsize) {}

    /// As WordQueue's. Asserts that nobody waits.
    WEFT_API ~BoundedWordQueue();

    /// Appends a word: passed, blocked or shut_down. Throws `std::bad_alloc`; the queue is then as
    /// it was. The place is for queues that need to know where an entry was.
    Passage try_push(std::uint64_t word, Returned* /*place*/ = nullptr) {
        tail_lock_.lock();
        if (tail_.load(std::memory_order_relaxed) == tail_limit_.load(std::memory_order_relaxed))
            [[unlikely]] {
            return push_slow(word);
        }
        append(word);
        unlock_after_push();
        return Passage::passed;
    }
    /// What try_push() would say now.
    [[nodiscard]] WEFT_API Passage look_for_room() noexcept;
    /// The same as try_push(), after waiting for room.
    WEFT_API Passage push(std::uint64_t word, Returned* place, const WaitLimits& limits);

    /// The same for a coroutine, one step: `blocked` when the waiter was listed.
    WEFT_API Passage push_or_list(std::uint64_t word, Returned* place, Waiter& waiter,
                                  bool is_first);

    /// Takes the oldest word: passed, blocked or shut_down.
    Passage try_pop(Taken& taken) noexcept {
        head_lock_.lock();
        if (head_.load(std::memory_order_relaxed) >= ready_.load(std::memory_order_relaxed))
            [[unlikely]]
            return pop_slow(taken, false);
        take_ready(taken);
        head_lock_.unlock();
        return Passage::passed;
    }
    /// The same, after waiting for one.
    WEFT_API Passage pop(Taken& taken, const WaitLimits& limits);

    /// The same for a coroutine, one step: `blocked` when the waiter was listed.
    WEFT_API Passage pop_or_list(Taken& taken, Waiter& waiter, bool is_first) noexcept;

    /// The same three for words that may come back: each that passed is followed by settle() or
    /// give_back().
    WEFT_API Passage try_pop_held(Taken& taken) noexcept;
    WEFT_API Passage pop_held(Taken& taken, const WaitLimits& limits);
    WEFT_API Passage pop_held_or_list(Taken& taken, Waiter& waiter, bool is_first) noexcept;
    /// The word is out for good: its place is free.
    WEFT_API void settle(const Taken& taken) noexcept;
    /// Puts the word back to where it was. Returns false if the queue was emptied meanwhile, or the
    /// calling thread has forked: its task is then done, and the word the caller's to destroy.
    [[nodiscard]] WEFT_API bool give_back(const Taken& taken, Returned& place) noexcept;
    template <class PlaceOf>
    [[nodiscard]] bool give_back(const Taken& taken, PlaceOf place_of) noexcept {
        Returned& place = place_of(taken.word);
        return give_back(taken, place);
    }
    /// Takes a word, and looks at nothing else. Returns false when there is none.
    bool remove_any(Taken& taken) noexcept { return WordQueue::try_pop(taken); }

    [[nodiscard]] std::size_t size() const noexcept { return WordQueue::size(); }
    [[nodiscard]] bool is_empty() const noexcept { return WordQueue::is_empty(); }
    [[nodiscard]] WEFT_API bool is_full() const noexcept;

    [[nodiscard]] std::int64_t maxsize() const noexcept {
        return maxsize_.load(std::memory_order_relaxed);
    }
    /// Wakes as many producers as may now put.
    WEFT_API void set_maxsize(std::int64_t maxsize) noexcept;

    [[nodiscard]] bool is_shut_down() const noexcept {
        return is_shut_down_.load(std::memory_order_acquire);
    }
    /// Ends the intake; `immediate` takes all words out, into `contents`.
    WEFT_API void shut_down(bool immediate, Contents& contents) noexcept;

    /// Where those wait who pop, and those who push.
    [[nodiscard]] WaitList& consumers() noexcept { return waiters_; }
    [[nodiscard]] WaitList& producers() noexcept { return producers_; }

    [[nodiscard]] TaskCount& tasks() noexcept { return tasks_; }
    [[nodiscard]] const TaskCount& tasks() const noexcept { return tasks_; }

private:
    WEFT_API Passage push_slow(std::uint64_t word);
    WEFT_API Passage pop_slow(Taken& taken, bool is_held) noexcept;
    Passage push_certainly(std::uint64_t word);
    Passage pop_certainly(Taken& taken, bool is_held) noexcept;
    void let_producer_in() noexcept;
    void forget_lost() noexcept;
    bool is_still_held(const Taken& taken) noexcept;
    std::uint64_t room() noexcept;
    std::uint64_t exact_room() noexcept;

    // Written with tail_lock_ and head_lock_ held.
    alignas(kCacheLine) Atomic<std::int64_t> maxsize_;
    Atomic<bool> is_shut_down_{false};
    bool is_emptied_ = false;            ///< guarded by head_lock_, as are the next two
    std::uint32_t held_generation_ = 0;  ///< the fork generation that held_ belongs to
    Atomic<std::uint64_t> held_{0};      ///< words that are out, or back, and keep their place
    WaitList producers_;
    TaskCount tasks_{tail_};
};

}  // namespace weft::detail
