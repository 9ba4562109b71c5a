#pragma once

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <new>
#include <utility>

#include <weft/detail/atomic.hpp>
#include <weft/detail/low_lock.hpp>
#include <weft/detail/passage.hpp>
#include <weft/detail/task_count.hpp>
#include <weft/detail/wait_list.hpp>
#include <weft/detail/word_queue.hpp>

namespace weft::detail {

/// A queue with a bound, an end and a count of tasks over any storage: what LifoQueue,
/// PriorityQueue and queues with a storage of their user's are below their types.
///
/// One lock guards all. Threads that wait enter a list and then look once more under the lock; who
/// changes something looks at the list before it unlocks. So one of the two sees the other.
///
/// The storage is called with the lock held, and its push() and pop() may throw: nothing has then
/// changed but what they changed themselves.
///
/// After a fork in the middle of a change, `is_changing_` is found set by the next who takes the
/// lock; the storage then finishes the change, or throws.
///
/// `Storage`: Entry, Taken, Room, Contents; size(), has_room(), next_capacity(), make_room(),
/// adopt(), sparse_capacity(), shrink(), push(), pop(), mend(), take_all().
template <class Storage>
class OneLockQueue {
public:
    using Entry = typename Storage::Entry;
    using Taken = typename Storage::Taken;
    using Returned = WordQueue::Returned;
    using Contents = typename Storage::Contents;

    template <class... Args>
    explicit OneLockQueue(std::int64_t maxsize, Args&&... args)
        : storage_(std::forward<Args>(args)...), maxsize_(maxsize) {}
    OneLockQueue(const OneLockQueue&) = delete;
    OneLockQueue& operator=(const OneLockQueue&) = delete;

    ~OneLockQueue() {
        // A putter may still be inside; it will be out in a moment.
        lock_.lock();
        lock_.unlock();
        [[maybe_unused]] const WaitList::Locked getters(getters_);
        [[maybe_unused]] const WaitList::Locked putters(putters_);
        assert(getters.is_empty() && putters.is_empty() &&
               "a queue must not be destroyed while a thread waits for an item or for room");
    }

    /// As BoundedWordQueue's. Throws what the storage throws.
    Passage try_push(Entry& entry, Returned* place = nullptr) {
        typename Storage::Room room{};  // destroyed after the lock was released
        std::unique_lock lock(lock_);
        for (;;) {
            mend();
            if (const Passage passage = look(); passage != Passage::passed) return passage;
            if (storage_.has_room(held_)) break;
            const std::size_t capacity = storage_.next_capacity();
            lock.unlock();
            room = Storage::make_room(capacity);
            lock.lock();
            mend();
            storage_.adopt(room);
        }
        {
            const std::uint64_t index = put_.load(std::memory_order_relaxed);
            const Change change(*this, index + 1);
            storage_.push(entry, place, index);
            // Release is enough, as for the tail of a WordQueue: TaskCount needs this number only
            // not to fall behind what is done, and whoever got the entry has taken the lock since.
            put_.store(index + 1, std::memory_order_release);
        }
        unlock_and_wake(lock, getters_);
        return Passage::passed;
    }
    /// What try_push() would say now.
    Passage look_for_room() {
        const std::lock_guard lock(lock_);
        mend();
        return look();
    }
    Passage push(Entry& entry, Returned* place, const WaitLimits& limits) {
        const auto attempt = [&] { return try_push(entry, place); };
        return wait_to_pass(putters_, limits, attempt, attempt);
    }

    Passage push_or_list(Entry& entry, Returned* place, Waiter& waiter, bool is_first) {
        return list_or_pass(putters_, waiter, is_first, [&] { return try_push(entry, place); });
    }

    Passage try_pop(Taken& taken) { return take(taken, false); }
    Passage pop_or_list(Taken& taken, Waiter& waiter, bool is_first) {
        return list_or_pass(getters_, waiter, is_first, [&] { return take(taken, false); });
    }
    Passage pop_held_or_list(Taken& taken, Waiter& waiter, bool is_first) {
        return list_or_pass(getters_, waiter, is_first, [&] { return take(taken, true); });
    }
    Passage pop(Taken& taken, const WaitLimits& limits) {
        const auto attempt = [&] { return take(taken, false); };
        return wait_to_pass(getters_, limits, attempt, attempt);
    }
    Passage try_pop_held(Taken& taken) { return take(taken, true); }
    Passage pop_held(Taken& taken, const WaitLimits& limits) {
        const auto attempt = [&] { return take(taken, true); };
        return wait_to_pass(getters_, limits, attempt, attempt);
    }
    void settle(const Taken& taken) noexcept {
        std::unique_lock lock(lock_);
        static_cast<void>(is_still_held(taken));
        unlock_and_wake(lock, putters_);
    }
    /// An entry that was out at a fork, in the hands of the thread that forked, does not come back
    /// in the child, where its place may be taken: it counts as one that was emptied out.
    template <class PlaceOf>
    [[nodiscard]] bool give_back(const Taken& taken, PlaceOf place_of) noexcept {
        std::unique_lock lock(lock_);
        mend();
        if (!is_still_held(taken) || is_emptied_) {
            lock.unlock();
            tasks_.finish(1);
            return false;
        }
        {
            const Change change(*this, put_.load(std::memory_order_relaxed));
            storage_.put_back(taken.word, place_of);
        }
        unlock_and_wake(lock, getters_);
        return true;
    }

    [[nodiscard]] std::size_t size() {
        const std::lock_guard lock(lock_);
        mend();
        return is_emptied_ ? 0 : storage_.size();
    }
    [[nodiscard]] bool is_empty() { return size() == 0; }
    [[nodiscard]] bool is_full() {
        const std::lock_guard lock(lock_);
        mend();
        const std::int64_t maxsize = maxsize_.load(std::memory_order_relaxed);
        return maxsize > 0 && !is_emptied_ && storage_.size() >= static_cast<std::size_t>(maxsize);
    }

    [[nodiscard]] std::int64_t maxsize() const noexcept {
        return maxsize_.load(std::memory_order_relaxed);
    }
    void set_maxsize(std::int64_t maxsize) {
        std::unique_lock lock(lock_);
        mend();
        forget_lost();
        const std::size_t used = storage_.size() + held_;  // before the store: it may throw
        maxsize_.store(maxsize, std::memory_order_relaxed);
        const auto bound = static_cast<std::size_t>(maxsize);
        lock.unlock();
        if (maxsize <= 0) {
            putters_.notify_all();
        } else if (used < bound) {
            putters_.notify(bound - used);
        }
    }

    [[nodiscard]] bool is_shut_down() const noexcept {
        return is_shut_down_.load(std::memory_order_acquire);
    }
    /// As BoundedWordQueue's, in one step. A storage that cannot take all out at once keeps them,
    /// for drain_one(); nobody else sees them any more. Throws what the storage's mend() and size()
    /// throw, and then has ended the intake only.
    void shut_down(bool immediate, Contents& contents) {
        std::unique_lock lock(lock_);
        is_shut_down_.store(true, std::memory_order_seq_cst);
        // In every case: whoever waits is told.
        struct Tell {
            OneLockQueue& queue;
            std::unique_lock<LowLock>& lock;
            WakeChain joiners = {};
            ~Tell() {
                lock.unlock();
                joiners.notify_all();
                queue.getters_.notify_all();
                queue.putters_.notify_all();
            }
        } tell{*this, lock};
        if (!immediate || is_emptied_) return;
        mend();
        const std::size_t count = storage_.size();
        contents = storage_.take_all();
        // After that, so that in a child of a fork in between nothing is hidden that is there.
        is_emptied_ = true;
        if (!Storage::is_drained_one_by_one && count != 0) tasks_.finish(count, tell.joiners);
    }
    /// After an immediate shutdown: takes out an entry that the storage has kept, and counts it as
    /// done. Returns false when there is none left. Throws what the storage's pop() throws.
    bool drain_one(Taken& taken) {
        WakeChain joiners;
        {
            const std::lock_guard lock(lock_);
            mend();
            if (!is_emptied_ || storage_.size() == 0) return false;
            const Change change(*this, put_.load(std::memory_order_relaxed));
            storage_.remove_any(taken);
            tasks_.finish(1, joiners);
        }
        joiners.notify_all();
        return true;
    }

    [[nodiscard]] WaitList& consumers() noexcept { return getters_; }
    [[nodiscard]] WaitList& producers() noexcept { return putters_; }

    [[nodiscard]] TaskCount& tasks() noexcept { return tasks_; }
    [[nodiscard]] const TaskCount& tasks() const noexcept { return tasks_; }

    /// Takes an entry, whichever is the easiest, and looks at nothing else. Returns false when
    /// there is none.
    bool remove_any(Taken& taken) {
        const std::lock_guard lock(lock_);
        mend();
        if (storage_.size() == 0) return false;
        const Change change(*this, put_.load(std::memory_order_relaxed));
        storage_.remove_any(taken);
        return true;
    }

private:
    /// Writes down that something changes, and what the number of puts is if it comes to pass.
    class Change {
    public:
        Change(OneLockQueue& queue, std::uint64_t put_afterwards) : queue_(queue) {
            queue.size_before_ = queue.storage_.size();
            queue.put_before_ = queue.put_.load(std::memory_order_relaxed);
            queue.put_afterwards_ = put_afterwards;
            queue.is_changing_.store(true, std::memory_order_release);
        }
        ~Change() { queue_.is_changing_.store(false, std::memory_order_release); }
        Change(const Change&) = delete;
        Change& operator=(const Change&) = delete;

    private:
        OneLockQueue& queue_;
    };

    void mend() {
        if (is_changing_.load(std::memory_order_acquire)) [[unlikely]] {
            // Only a fork leaves it so.
            storage_.mend();
            put_.store(storage_.size() > size_before_ ? put_afterwards_ : put_before_,
                       std::memory_order_seq_cst);
            is_changing_.store(false, std::memory_order_release);
        }
    }

    /// Entries that were out at a fork do not come back in the child.
    void forget_lost() noexcept {
        const std::uint32_t current = fork_generation.load(std::memory_order_relaxed);
        if (held_generation_ != current) held_ = 0;
        held_generation_ = current;
    }

    /// Whether an entry that was taken so still keeps its place, which is free afterwards.
    bool is_still_held(const Taken& taken) noexcept {
        forget_lost();
        if (taken.generation != held_generation_) return false;
        --held_;
        return true;
    }

    /// Called with the lock held: whether an entry can be put.
    Passage look() {
        if (is_shut_down_) return Passage::shut_down;
        if (held_ != 0) forget_lost();
        const std::int64_t maxsize = maxsize_.load(std::memory_order_relaxed);
        if (maxsize <= 0) return Passage::passed;
        const std::size_t used = storage_.size() + held_;
        return used < static_cast<std::size_t>(maxsize) ? Passage::passed : Passage::blocked;
    }

    /// Gives memory back. The array is copied under the lock, as when it grows.
    void shrink(std::size_t capacity) noexcept {
        typename Storage::Room room{};  // destroyed after the lock was released
        try {
            room = Storage::make_room(capacity);
        } catch (const std::bad_alloc&) {
            return;  // it stays as large as it is
        }
        const std::lock_guard lock(lock_);
        // After a fork something may be half done, and is mended by the next who has to.
        if (!is_changing_.load(std::memory_order_acquire)) storage_.shrink(room, held_);
    }

    Passage take(Taken& taken, bool is_held) {
        std::unique_lock lock(lock_);
        mend();
        if (is_emptied_ || storage_.size() == 0) {
            return is_shut_down_ ? Passage::shut_down : Passage::blocked;
        }
        {
            const Change change(*this, put_.load(std::memory_order_relaxed));
            storage_.pop(taken);
        }
        std::size_t smaller = 0;
        if (is_held) {
            forget_lost();
            ++held_;
            if constexpr (!Storage::is_drained_one_by_one) taken.generation = held_generation_;
            smaller = storage_.sparse_capacity(held_);
            lock.unlock();
        } else {
            smaller = storage_.sparse_capacity(held_);
            unlock_and_wake(lock, putters_);
        }
        if (smaller != 0) [[unlikely]]
            shrink(smaller);
        return Passage::passed;
    }

    static void unlock_and_wake(std::unique_lock<LowLock>& lock, WaitList& list) noexcept {
        Waiter* first = nullptr;
        if (!list.is_empty()) {
            WaitList::Locked view(list);
            first = view.take_first();
            view.announce_notifier();
        }
        lock.unlock();
        if (first != nullptr) first->notify();
    }

    static constexpr std::size_t kCacheLine = 64;

    alignas(kCacheLine) mutable LowLock lock_;  ///< guards all that follows but the lists
    Atomic<bool> is_changing_{false};           ///< the next three say what changes
    std::size_t size_before_ = 0;
    std::uint64_t put_before_ = 0;
    std::uint64_t put_afterwards_ = 0;
    Atomic<std::uint64_t> put_{0};  ///< how many entries were ever put
    Storage storage_;
    std::size_t held_ = 0;  ///< entries that are out and may come back
    std::uint32_t held_generation_ = 0;
    Atomic<bool> is_shut_down_{false};
    bool is_emptied_ = false;
    Atomic<std::int64_t> maxsize_;
    WaitList getters_;
    WaitList putters_;
    TaskCount tasks_{put_};
};

}  // namespace weft::detail
