#pragma once

#include <cstddef>
#include <cstdint>
#include <stop_token>

#include <weft/detail/atomic.hpp>
#include <weft/detail/config.hpp>
#include <weft/detail/deadline.hpp>
#include <weft/detail/low_lock.hpp>

// The wake path: how every thread of Weft waits, and how it is woken.
// docs/decisions/0001-wake-path.md has its states, its memory orders and why they suffice.

namespace weft::detail {

/// How a wait ended.
enum class WaitEnd : std::uint8_t {
    notified,     ///< somebody took this waiter off its list in order to wake it
    timed_out,    ///< the deadline has passed
    cancelled,    ///< the stop token was triggered
    interrupted,  ///< the main thread is to throw KeyboardInterrupt
};

/// What may end a wait besides a notification.
struct WaitLimits {
    Deadline deadline = Deadline::never();
    const std::stop_token* stop = nullptr;
    bool is_interruptible = true;  ///< whether Ctrl-C may end it, on the main thread
};

/// Turns an end that is an exception into that exception: `cancelled` throws weft::Cancelled,
/// `interrupted` throws weft::KeyboardInterrupt; the others return.
WEFT_API void throw_if_stopped(WaitEnd end);

class WaitList;
class CoroutineWait;
struct CoroutineAccess;  // the way from coroutines' waits to what they wait for

/// What a list has learnt about spinning. Read with its lock held, so that a waiter need not look
/// at the list again, which may be gone once it has been notified.
struct SpinAdvice {
    int notifier_cpu;      ///< where the last notifier ran
    std::uint16_t budget;  ///< how long a spin is worth, in steps
};

/// One thread's place in a WaitList, or one coroutine's. Lives on the stack of the waiting thread,
/// or in the coroutine, which owns it but for `word_` (anybody who wakes) and the links (guarded by
/// the list's lock).
///
/// States of the word: kNotified once the waiter was taken off its list; kAsleep while the thread
/// sleeps or is about to; kSuspended while whoever notifies is to resume the coroutine; the
/// remaining bits count pokes, each of which makes the thread look again at its limits without
/// ending the wait.
class Waiter {
public:
    constexpr Waiter() noexcept = default;
    Waiter(const Waiter&) = delete;
    Waiter& operator=(const Waiter&) = delete;

    /// Waits until notified or until a limit ends the wait. Called by the owner only, with the
    /// waiter on a list and no LowLock held. The end `notified` means that the waiter is off the
    /// list; after any other end the owner must call WaitList::remove before the waiter dies.
    WEFT_API WaitEnd sleep(const WaitLimits& limits) noexcept;

    /// The same, but spins first, for as long as the history of `list` advises.
    WEFT_API WaitEnd spin_then_sleep(WaitList& list, const WaitLimits& limits) noexcept;

    /// The same, without touching the list. Its notifiers learn for it: Locked::learn_from().
    WEFT_API WaitEnd spin_then_sleep(SpinAdvice advice, const WaitLimits& limits) noexcept;

    /// Blocks, against all limits, until notified: for a waiter that another thread has taken off
    /// its list and is about to notify.
    WEFT_API void wait_until_notified() noexcept;

    /// True once notified.
    [[nodiscard]] bool is_notified() const noexcept {
        // Acquire pairs with the release in notify().
        return (word_.load(std::memory_order_acquire) & kNotified) != 0;
    }

    /// Ends the wait of a waiter that was taken off its list. The last access to the waiter: its
    /// owner may return as soon as the word is set. May resume a coroutine, and so run users' code.
    WEFT_API void notify() noexcept;

    /// Makes whoever sleeps on a waiter's word look at its limits again. The caller guarantees that
    /// the waiter lives.
    static void poke(FutexWord& word) noexcept;

    /// For the engine that owns the list; written before notify() and read after the wait.
    bool is_granted = false;   ///< what was waited for comes with the notification
    bool is_starving = false;  ///< has waited long; guarded by the list's lock while listed

protected:
    // For a CoroutineWait, which is the only class derived from this.

    /// Leaves it to notify() to resume the coroutine, and must then not touch the waiter any more.
    /// Returns false, with nothing done, when it has been notified already.
    [[nodiscard]] bool suspend() noexcept {
        std::uint32_t seen = 0;
        // Release publishes what the waiter is to whoever resumes the coroutine, who acquires it in
        // notify(); acquire pairs with notify() when that was quicker.
        return word_.compare_exchange_strong(seen, kSuspended, std::memory_order_acq_rel,
                                             std::memory_order_acquire);
    }
    /// Takes that back. Returns false when it has been notified, and is being resumed.
    [[nodiscard]] bool withdraw() noexcept {
        std::uint32_t seen = kSuspended;
        return word_.compare_exchange_strong(seen, 0, std::memory_order_acq_rel,
                                             std::memory_order_acquire);
    }
    /// Makes a waiter that is on no list as new.
    void restart() noexcept { word_.store(0, std::memory_order_relaxed); }

private:
    friend class WaitList;
    friend class WakeChain;

    static constexpr std::uint32_t kNotified = 1;
    static constexpr std::uint32_t kAsleep = 2;
    static constexpr std::uint32_t kSuspended = 4;
    static constexpr std::uint32_t kPoke = 8;

    enum class SpinEnd : std::uint8_t { notified, in_vain, not_tried };
    SpinEnd spin(SpinAdvice advice) noexcept;

    FutexWord word_{0};
    bool has_spun_ = false;         ///< in vain; written by the owner before it sets kAsleep
    bool is_listed_ = false;        ///< guarded by the list's lock, as are the next three
    std::uint32_t generation_ = 0;  ///< the fork generation in which it entered its list
    Waiter* previous_ = nullptr;
    Waiter* next_ = nullptr;
};

/// Waiters that were taken off a list, on their way to be notified once its lock is released.
class WakeChain {
public:
    constexpr WakeChain() noexcept = default;
    WakeChain(const WakeChain&) = delete;
    WakeChain& operator=(const WakeChain&) = delete;

    [[nodiscard]] bool is_empty() const noexcept { return first_ == nullptr; }
    void add(Waiter& waiter) noexcept {
        waiter.next_ = nullptr;
        (last_ != nullptr ? last_->next_ : first_) = &waiter;
        last_ = &waiter;
    }
    /// Notifies all, in the order in which they were added. Called with no LowLock held. The list
    /// that they come from may be destroyed meanwhile.
    WEFT_API void notify_all() noexcept;

private:
    Waiter* first_ = nullptr;
    Waiter* last_ = nullptr;
};

/// The waiting threads of one object, in order of arrival: an eventcount whose waiters are known by
/// name, so that exactly those are woken who should be.
///
/// A waiter first enters the list, then looks once more whether it needs to wait at all, then
/// sleeps. A notifier first publishes, then looks whether anybody is listed, which costs one load
/// when nobody is. For no wake-up to be lost, either both "publish" and "look once more" must be
/// seq_cst operations on one location (a compare-and-swap that fails counts by its failure order),
/// or both must be made under one lock, which the notifier took before it looks.
///
/// A waiter may find what it waits for, return and destroy the object before the notifier has
/// looked whether anybody is listed. Where that is allowed, publish in a Locked view, as the last
/// access to the object.
///
/// After fork the list is empty: its waiters live in the parent. A thread that forks in a signal
/// handler while it waits, and goes on waiting in the child, is on no list there: only a limit or a
/// stop token can end that wait.
class WaitList {
public:
    constexpr WaitList() noexcept = default;
    WaitList(const WaitList&) = delete;
    WaitList& operator=(const WaitList&) = delete;

    /// Wakes the longest waiting thread; does nothing when nobody waits.
    void notify_one() noexcept {
        if (count_.load(std::memory_order_seq_cst) != 0) notify_listed(1);
    }

    /// Wakes every thread that waits now.
    void notify_all() noexcept {
        if (count_.load(std::memory_order_seq_cst) != 0) notify_listed(~std::size_t{0});
    }

    /// Wakes up to `most` threads in order of arrival and returns how many.
    std::size_t notify(std::size_t most) noexcept {
        return count_.load(std::memory_order_seq_cst) != 0 ? notify_listed(most) : 0;
    }

    /// Puts the calling thread's waiter at the end of the list.
    WEFT_API void enter(Waiter& waiter) noexcept;

    /// Takes the waiter off the list. Returns false when it was not there any more, that is, when
    /// it has been notified: that notification is then the caller's to use or to pass on.
    WEFT_API bool remove(Waiter& waiter) noexcept;

    /// True when nobody is listed; a snapshot.
    [[nodiscard]] bool is_empty() const noexcept {
        return count_.load(std::memory_order_seq_cst) == 0;
    }

    /// Waits until `take` returns true. `take` is called on the calling thread, with no lock held,
    /// and must try to get what is waited for. Returns `notified` when take() succeeded, else the
    /// end that a limit brought. A notification that this thread used up without success is passed
    /// on to the next waiter, also when take() throws.
    template <class Take>
    WaitEnd wait(Take& take, const WaitLimits& limits) {
        return wait_erased([](void* callable) -> bool { return (*static_cast<Take*>(callable))(); },
                           &take, limits);
    }

    /// A view of the list with its lock held, for an engine that must change its own state together
    /// with the list.
    class Locked {
    public:
        explicit Locked(WaitList& list) noexcept : list_(list) {
            list_.mutex_.lock();
            is_after_fork_ = list_.forget_other_process();
        }
        ~Locked() { list_.mutex_.unlock(); }
        Locked(const Locked&) = delete;
        Locked& operator=(const Locked&) = delete;

        /// True for the first view after a fork: the threads that were listed or woken before are
        /// in the parent.
        [[nodiscard]] bool is_after_fork() const noexcept { return is_after_fork_; }
        [[nodiscard]] bool is_empty() const noexcept { return list_.head_ == nullptr; }
        [[nodiscard]] Waiter* first() const noexcept { return list_.head_; }
        [[nodiscard]] Waiter* next(const Waiter& waiter) const noexcept { return waiter.next_; }
        void append(Waiter& waiter) noexcept { list_.append(waiter); }
        void prepend(Waiter& waiter) noexcept { list_.prepend(waiter); }
        /// Takes the first waiter off the list; the caller notifies it after unlocking.
        Waiter* take_first() noexcept {
            Waiter* const first = list_.head_;
            if (first != nullptr) list_.unlink(*first);
            return first;
        }
        /// Takes this waiter off the list. Returns false when it was not there any more: then its
        /// owner, once it has released the lock, must call wait_until_notified() before it dies.
        WEFT_API bool take(Waiter& waiter) noexcept;
        /// Tells those who spin on which CPU the thread runs that notifies them.
        WEFT_API void announce_notifier() noexcept;
        [[nodiscard]] SpinAdvice advice() const noexcept {
            return {list_.notifier_cpu_.load(std::memory_order_relaxed),
                    list_.spin_budget_.load(std::memory_order_relaxed)};
        }
        /// Judges by a waiter that is about to be notified whether spinning pays on this list, for
        /// waiters that spin by advice(). Announces this thread as the notifier.
        WEFT_API void learn_from(const Waiter& waiter) noexcept;

    private:
        WaitList& list_;
        bool is_after_fork_;
    };

private:
    friend class Waiter;

    WEFT_API std::size_t notify_listed(std::size_t most) noexcept;
    WEFT_API WaitEnd wait_erased(bool (*take)(void*), void* callable, const WaitLimits& limits);

    // These are called with mutex_ held.
    WEFT_API bool forget_other_process() noexcept;
    WEFT_API void append(Waiter& waiter) noexcept;
    WEFT_API void prepend(Waiter& waiter) noexcept;
    WEFT_API void unlink(Waiter& waiter) noexcept;

    static constexpr std::uint16_t kInitialSpin = 8;

    LowLock mutex_;                 ///< guards the links, and writes of count_
    std::uint32_t generation_ = 0;  ///< the fork generation that the links belong to
    Waiter* head_ = nullptr;
    Waiter* tail_ = nullptr;
    Atomic<std::uint32_t> count_{0};                   ///< number of listed waiters
    Atomic<std::int16_t> notifier_cpu_{-1};            ///< where the last notifier ran
    Atomic<std::uint16_t> spin_budget_{kInitialSpin};  ///< how long a spin is worth, in steps
};

}  // namespace weft::detail
