#pragma once

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <mutex>
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
/// adopt(), push(), pop(), mend(), take_all().
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
            if (is_shut_down_) return Passage::shut_down;
            if (is_full_now()) return Passage::blocked;
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
            put_.store(index + 1, std::memory_order_seq_cst);
        }
        unlock_and_wake(lock, getters_);
        return Passage::passed;
    }
    Passage push(Entry& entry, Returned* place, const WaitLimits& limits) {
        const auto attempt = [&] { return try_push(entry, place); };
        return wait_to_pass(putters_, limits, attempt, attempt);
    }

    Passage try_pop(Taken& taken) { return take(taken, false); }
    Passage pop(Taken& taken, const WaitLimits& limits) {
        const auto attempt = [&] { return take(taken, false); };
        return wait_to_pass(getters_, limits, attempt, attempt);
    }
    Passage try_pop_held(Taken& taken) { return take(taken, true); }
    Passage pop_held(Taken& taken, const WaitLimits& limits) {
        const auto attempt = [&] { return take(taken, true); };
        return wait_to_pass(getters_, limits, attempt, attempt);
    }
    void settle() noexcept {
        std::unique_lock lock(lock_);
        // A child of a fork may have counted this entry as lost.
        if (held_ != 0) --held_;
        unlock_and_wake(lock, putters_);
    }
    template <class PlaceOf>
    [[nodiscard]] bool give_back(const Taken& taken, PlaceOf place_of) noexcept {
        std::unique_lock lock(lock_);
        mend();
        if (held_ != 0) --held_;
        if (is_emptied_) {
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

    [[nodiscard]] std::int64_t maxsize() const noexcept {
        return maxsize_.load(std::memory_order_relaxed);
    }
    void set_maxsize(std::int64_t maxsize) {
        std::unique_lock lock(lock_);
        mend();
        maxsize_.store(maxsize, std::memory_order_relaxed);
        const std::size_t used = storage_.size() + held_;
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
    /// As BoundedWordQueue's; throws what the storage's size() throws, and then has ended the
    /// intake only.
    void shut_down(bool immediate, Contents& contents) {
        std::unique_lock lock(lock_);
        is_shut_down_.store(true, std::memory_order_seq_cst);
        lock.unlock();
        getters_.notify_all();
        putters_.notify_all();
        if (!immediate) return;
        lock.lock();
        mend();
        if (is_emptied_) return;
        const std::size_t count = storage_.size();
        contents = storage_.take_all();
        is_emptied_ = true;
        lock.unlock();
        tasks_.finish(count);
    }

    [[nodiscard]] TaskCount& tasks() noexcept { return tasks_; }
    [[nodiscard]] const TaskCount& tasks() const noexcept { return tasks_; }

    /// Takes an entry, whichever is the easiest, also after an immediate shutdown that has left
    /// some to its caller. Returns false when there is none.
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

    bool is_full_now() {
        const std::int64_t maxsize = maxsize_.load(std::memory_order_relaxed);
        if (maxsize <= 0) return false;
        if (held_ != 0) forget_lost();
        return storage_.size() + held_ >= static_cast<std::size_t>(maxsize);
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
        if (is_held) {
            forget_lost();
            ++held_;
        } else {
            unlock_and_wake(lock, putters_);
        }
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
