#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include <weft/detail/atomic.hpp>
#include <weft/detail/config.hpp>
#include <weft/detail/low_lock.hpp>
#include <weft/detail/wait_list.hpp>

namespace weft::detail {

/// An unbounded first-in first-out queue of 64-bit words for any number of producers and consumers:
/// what SimpleQueue is below its types.
///
/// The n-th word ever put has the index n, counted from zero; it lies in the cell n % kCells of a
/// chunk. Chunks form a chain, of which producers know the last and consumers the first. One lock
/// orders the producers, another the consumers, so the two sides meet only where a consumer has
/// used up what it last saw, and at the chunks' borders.
///
///     head_chunk_ -> [ taken | words ] -> [ words ] -> [ words | free ] <- tail_chunk_
///                            ^ head_                           ^ tail_
///
/// Every step takes effect with one store (`tail_` for a put, `head_` for a get), and whatever was
/// stored before it is found and used again by the next caller. A fork can therefore copy the queue
/// at any moment, though a thread that the child does not have was in the middle of a step: the
/// word is then wholly in or wholly out. What such a thread had set aside (a chunk, a word it had
/// taken) is lost to the child.
///
/// No member calls foreign code, and none allocates, frees or wakes while it holds a lock. A push
/// does not touch the queue after it has released its lock, and the destructor takes that lock
/// once: a queue may be destroyed once every pop has returned, also before the push that brought
/// the last word has.
class WordQueue {
public:
    /// A word that was taken, and its index: its place in the order of all that were ever put.
    struct Taken {
        std::uint64_t word = 0;
        std::uint64_t index = 0;
        std::uint32_t generation = 0;  ///< the fork generation it was taken in, if it may come back
    };

    /// The place for a word that was taken and comes back; provided by whoever may give back.
    struct Returned : Taken {
        Atomic<Returned*> next_returned{nullptr};
    };

    constexpr WordQueue() noexcept = default;
    WordQueue(const WordQueue&) = delete;
    WordQueue& operator=(const WordQueue&) = delete;

    /// Frees the chunks; the words are forgotten. Asserts that nobody waits.
    WEFT_API ~WordQueue();

    /// Appends a word and wakes the longest waiting consumer. Throws `std::bad_alloc` when there is
    /// no memory for a chunk; the queue is then as it was.
    void push(std::uint64_t word) {
        tail_lock_.lock();
        if (tail_.load(std::memory_order_relaxed) == tail_limit_.load(std::memory_order_relaxed))
            [[unlikely]] {
            push_in_next_chunk(word);
            return;
        }
        append(word);
        unlock_after_push();
    }

    /// Takes the oldest word. Returns false when there is none.
    [[nodiscard]] bool try_pop(Taken& taken) noexcept {
        head_lock_.lock();
        if (head_.load(std::memory_order_relaxed) >= ready_.load(std::memory_order_relaxed))
            [[unlikely]]
            return pop_slow(taken);
        take_ready(taken);
        head_lock_.unlock();
        return true;
    }

    /// The same for a thread that has listed itself as a waiter elsewhere: misses no word whose
    /// producer did not see it there, if producers look there after their push.
    [[nodiscard]] WEFT_API bool try_pop_certainly(Taken& taken) noexcept;

    /// Takes the oldest word, after waiting for one. Returns how the wait ended; `taken` is set
    /// only when that is `notified`.
    [[nodiscard]] WEFT_API WaitEnd pop(Taken& taken, const WaitLimits& limits);

    /// One step of that for a coroutine: takes a word, or lists the waiter (behind the others,
    /// unless it has been woken in vain) and returns false.
    [[nodiscard]] WEFT_API bool pop_or_list(Taken& taken, Waiter& waiter, bool is_first) noexcept;
    [[nodiscard]] WaitList& consumers() noexcept { return waiters_; }

    /// Puts a word that was taken back to where it was, before all that were put later, and wakes
    /// the longest waiting consumer. `place` must live until the word is taken again.
    WEFT_API void give_back(const Taken& taken, Returned& place) noexcept;

    /// True when there was no word at one moment during the call. Takes no lock.
    ///
    /// That moment is one in the history of this queue alone. Its stores are releases, so a thread
    /// that puts here and then finds another queue empty is not ordered with one that does the
    /// reverse: both may find the other's queue empty.
    [[nodiscard]] bool is_empty() const noexcept {
        // What was given back first: head_ does not move while there is any. So if there was none
        // before head_ and tail_ were found equal, and some came in between, the queue was empty
        // just before that.
        if (returned_.load(std::memory_order_seq_cst) != nullptr) return false;
        // The indices only grow: if the later one equals the earlier, they were equal in between.
        const std::uint64_t head = head_.load(std::memory_order_seq_cst);
        return tail_.load(std::memory_order_seq_cst) == head;
    }

    /// The same for a thread that has announced, by a sequentially consistent store, that it looks
    /// here: misses no word whose producer did not see the announcement, if producers look for it
    /// after their push.
    [[nodiscard]] WEFT_API bool is_certainly_empty() noexcept;

    /// The number of words at one moment during the call. Locks out consumers for that moment.
    [[nodiscard]] WEFT_API std::size_t size() const noexcept;

protected:
    static constexpr std::size_t kCells = 256;
    // Two lines that different CPUs write must not share one; 64 bytes on all machines we know but
    // some that merely lose a little.
    static constexpr std::size_t kCacheLine = 64;

    /// What chunks and the empty beginning of a chain have in common.
    struct Link {
        std::uint64_t limit = 0;  ///< one more than the last index that lies here
        Atomic<Link*> next{nullptr};
    };
    struct Chunk : Link {
        explicit Chunk() noexcept {}  // the cells need no value before they get one
        std::uint64_t cells[kCells];
    };

    // With tail_lock_ held -----------------------------------------------------------------------

    /// Writes the word into tail_chunk_, which has the cell.
    void append(std::uint64_t word) noexcept {
        const std::uint64_t index = tail_.load(std::memory_order_relaxed);
        static_cast<Chunk*>(tail_chunk_.load(std::memory_order_relaxed))->cells[index % kCells] =
            word;
        // Release publishes the cell to the acquire in take_slowly().
        tail_.store(index + 1, std::memory_order_release);
    }
    /// Gives tail_lock_ back, and wakes a consumer for the word that was appended.
    void unlock_after_push() noexcept {
        // A consumer that has listed itself takes tail_lock_ once before it sleeps. So either it
        // does that after this thread, and sees the word, or before, and is seen here.
        if (waiters_.is_empty()) [[likely]] {
            tail_lock_.unlock();
        } else {
            unlock_and_wake();
        }
    }
    /// Makes tail_chunk_ one that has the next cell. Returns false, with nothing changed, when that
    /// takes a new chunk and `fresh` is none.
    bool reach_next_cell(std::unique_ptr<Chunk>& fresh) noexcept;
    /// Keeps a chunk that was not needed for the next producer who needs one, if there is none yet.
    void keep_spare(std::unique_ptr<Chunk>& fresh) noexcept;

    // With head_lock_ held -----------------------------------------------------------------------

    /// Takes a word that is known to be in head_chunk_.
    void take_ready(Taken& taken) noexcept {
        taken.index = head_.load(std::memory_order_relaxed);
        taken.word = static_cast<Chunk*>(head_chunk_.load(std::memory_order_relaxed))
                         ->cells[taken.index % kCells];
        // Release: the word has been read before it counts as taken.
        head_.store(taken.index + 1, std::memory_order_release);
    }
    /// Takes any word. A chunk that is used up by that goes to `used_up`, for recycle().
    bool take_slowly(Taken& taken, Link*& used_up) noexcept;
    void insert_returned(const Taken& taken, Returned& place) noexcept;
    [[nodiscard]] std::uint64_t count_returned() const noexcept;

    // With no lock held --------------------------------------------------------------------------

    void recycle(Link* used_up) noexcept;

    // Data ---------------------------------------------------------------------------------------

    // Producers. Written with tail_lock_ held; tail_ is read by everybody.
    alignas(kCacheLine) LowLock tail_lock_;
    Atomic<std::uint64_t> tail_{0};        ///< the index of the next word to be put
    Atomic<std::uint64_t> tail_limit_{0};  ///< up to here, a push needs no look at anything else
    Atomic<Link*> tail_chunk_{&origin_};

    // Consumers. Written with head_lock_ held; head_ and returned_ are read by everybody.
    alignas(kCacheLine) mutable LowLock head_lock_;
    Atomic<std::uint64_t> head_{0};   ///< the index of the next word to be taken
    Atomic<std::uint64_t> ready_{0};  ///< words before this index lie in head_chunk_ for the taking
    Atomic<Link*> head_chunk_{&origin_};
    Atomic<Returned*> returned_{nullptr};  ///< words given back, in order

    // Rarely written.
    alignas(kCacheLine) WaitList waiters_;
    Atomic<Link*> spare_{nullptr};  ///< a used-up chunk, kept for the next producer who needs one
    Link origin_;                   ///< begins the chain, and holds no word

private:
    WEFT_API void push_in_next_chunk(std::uint64_t word);
    WEFT_API void unlock_and_wake() noexcept;
    WEFT_API bool pop_slow(Taken& taken) noexcept;
};

}  // namespace weft::detail
