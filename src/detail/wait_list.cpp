#include <weft/detail/wait_list.hpp>

#include <weft/detail/coroutine_wait.hpp>
#include <weft/errors.hpp>

#include "detail/interruption.hpp"
#include "detail/timed_sleep.hpp"
#include "detail/wakes_together.hpp"
#include "os/cpu.hpp"
#include "os/futex.hpp"
#include "runtime/parking.hpp"

namespace weft::detail {

namespace {

// How long a spin may last, in steps of kStep: a sleeper on another CPU costs its waker and itself
// tens of microseconds, so a spin that often succeeds may cost as much as one of those.
constexpr std::int64_t kStep = 500;  // nanoseconds
constexpr std::uint16_t kMaxSpin = 40;
// A list whose spins never pay tries again once in so many waits.
constexpr std::uint32_t kProbeMask = 31;
constexpr std::uint16_t kProbeSpin = 4;
// How often a waiter gives its CPU away when its partner last ran on the same one.
constexpr int kYields = 4;

std::uint16_t after_success(std::uint16_t budget) {
    return static_cast<std::uint16_t>(budget + 4 > kMaxSpin ? kMaxSpin : budget + 4);
}

std::uint16_t after_failure(std::uint16_t budget) {
    return static_cast<std::uint16_t>(budget - (budget + 3) / 4);
}

/// How a wait ends whose time is up before it begins.
WaitEnd end_of_poll(const WaitLimits& limits) {
    const bool is_stopped = limits.stop != nullptr && limits.stop->stop_requested();
    return is_stopped ? WaitEnd::cancelled : WaitEnd::timed_out;
}

}  // namespace

void throw_if_stopped(WaitEnd end) {
    if (end == WaitEnd::cancelled) throw Cancelled("the wait was cancelled by its stop token");
    if (end == WaitEnd::interrupted) throw_keyboard_interrupt();
}

// Waiter ------------------------------------------------------------------------------------------

void Waiter::notify() noexcept {
    // Release: what the notifier did before is seen by the woken thread. Relaxed would do for the
    // futex call, which needs only the word's own modification order.
    const std::uint32_t before = word_.exchange(kNotified, std::memory_order_acq_rel);
    if ((before & kAsleep) != 0) {
        os::futex_wake(word_, 1);
    } else if ((before & kSuspended) != 0) {
        static_cast<CoroutineWait*>(this)->wake();
    }
}

void Waiter::poke(FutexWord& word) noexcept {
    // Release: the reason for the poke (a stop request, a moved clock) is seen by whoever reads the
    // new value.
    if ((word.fetch_add(kPoke, std::memory_order_acq_rel) & kAsleep) != 0) {
        os::futex_wake(word, 1);
    }
}

WaitEnd Waiter::spin_then_sleep(WaitList& list, const WaitLimits& limits) noexcept {
    if (limits.deadline.has_passed()) return sleep(limits);
    // Races between spinners of one list only blur the estimate.
    const SpinAdvice advice{list.notifier_cpu_.load(std::memory_order_relaxed),
                            list.spin_budget_.load(std::memory_order_relaxed)};
    const SpinEnd end = spin(advice);
    if (end == SpinEnd::notified) {
        if (has_spun_) {
            list.spin_budget_.store(after_success(advice.budget), std::memory_order_relaxed);
        }
        return WaitEnd::notified;
    }
    if (end == SpinEnd::in_vain) {
        list.spin_budget_.store(after_failure(advice.budget), std::memory_order_relaxed);
    }
    return sleep(limits);
}

WaitEnd Waiter::spin_then_sleep(SpinAdvice advice, const WaitLimits& limits) noexcept {
    if (!limits.deadline.has_passed() && spin(advice) == SpinEnd::notified) {
        return WaitEnd::notified;
    }
    return sleep(limits);
}

Waiter::SpinEnd Waiter::spin(SpinAdvice advice) noexcept {
    if (is_notified()) return SpinEnd::notified;
    if (os::usable_cpus() == 1 || advice.notifier_cpu == os::current_cpu()) {
        // Whoever will notify can only run when this thread does not.
        for (int i = 0; i < kYields; ++i) {
            os::yield();
            if (is_notified()) return SpinEnd::notified;
        }
        return SpinEnd::not_tried;
    }
    if (advice.budget == 0) {
        static thread_local std::uint32_t waits = 0;
        if ((++waits & kProbeMask) != 0) return SpinEnd::not_tried;
        advice.budget = kProbeSpin;
    }
    has_spun_ = true;
    const std::int64_t end = os::monotonic_now() + advice.budget * kStep;
    do {
        for (int i = 0; i < 4; ++i) {
            os::pause();
            if (is_notified()) return SpinEnd::notified;
        }
    } while (os::monotonic_now() < end);
    return SpinEnd::in_vain;
}

void Waiter::wait_until_notified() noexcept {
    for (int i = 0; i < kYields && !is_notified(); ++i) os::yield();
    // The notifier has lost its CPU, or wakes many others first.
    for (;;) {
        std::uint32_t seen = word_.load(std::memory_order_acquire);
        if ((seen & kNotified) != 0) return;
        if ((seen & kAsleep) == 0 &&
            !word_.compare_exchange_strong(seen, seen | kAsleep, std::memory_order_acq_rel,
                                           std::memory_order_relaxed)) {
            continue;
        }
        os::futex_wait(word_, seen | kAsleep, os::kNoDeadline);
    }
}

WaitEnd Waiter::sleep(const WaitLimits& limits) noexcept {
    if (limits.deadline.has_passed())
        return is_notified() ? WaitEnd::notified : end_of_poll(limits);
    const PokeOnStop on_stop(word_, limits.stop);
    const TimedSleep timed(word_, limits.deadline);
    const InterruptibleSleep interruptible(word_, limits.is_interruptible);
    for (;;) {
        // Acquire pairs with the release of notify() and of poke().
        std::uint32_t seen = word_.load(std::memory_order_acquire);
        if ((seen & kNotified) != 0) return WaitEnd::notified;
        if (on_stop.is_requested()) return WaitEnd::cancelled;
        if (interruptible.is_requested()) return WaitEnd::interrupted;
        if (limits.deadline.has_passed()) return WaitEnd::timed_out;
        if ((seen & kAsleep) == 0) {
            if (!word_.compare_exchange_strong(seen, seen | kAsleep, std::memory_order_acq_rel,
                                               std::memory_order_relaxed)) {
                continue;
            }
            seen |= kAsleep;
        }
        // A notification or poke after the load above has changed the word, and the kernel compares
        // before it puts the thread to sleep.
        os::futex_wait(word_, seen, timed.system_deadline());
    }
}

// WakeChain ---------------------------------------------------------------------------------------

void WakeChain::notify_all() noexcept {
    const WakesTogether together;
    Waiter* each = first_;
    while (each != nullptr) {
        // Read before the word is set: the waiter may be gone afterwards.
        Waiter* const next = each->next_;
        each->notify();
        each = next;
    }
    first_ = nullptr;
    last_ = nullptr;
}

// WaitList ----------------------------------------------------------------------------------------

bool WaitList::forget_other_process() noexcept {
    const std::uint32_t current = fork_generation.load(std::memory_order_relaxed);
    if (generation_ == current) return false;
    // Either the list is new, or its links lead to stacks of threads that only the parent has.
    generation_ = current;
    head_ = nullptr;
    tail_ = nullptr;
    count_.store(0, std::memory_order_seq_cst);
    return true;
}

void WaitList::append(Waiter& waiter) noexcept {
    waiter.previous_ = tail_;
    waiter.next_ = nullptr;
    (tail_ != nullptr ? tail_->next_ : head_) = &waiter;
    tail_ = &waiter;
    waiter.is_listed_ = true;
    waiter.generation_ = generation_;
    // seq_cst: the partner of the load in notify_one(); see the class comment.
    count_.fetch_add(1, std::memory_order_seq_cst);
}

void WaitList::prepend(Waiter& waiter) noexcept {
    waiter.previous_ = nullptr;
    waiter.next_ = head_;
    (head_ != nullptr ? head_->previous_ : tail_) = &waiter;
    head_ = &waiter;
    waiter.is_listed_ = true;
    waiter.generation_ = generation_;
    count_.fetch_add(1, std::memory_order_seq_cst);
}

void WaitList::unlink(Waiter& waiter) noexcept {
    (waiter.previous_ != nullptr ? waiter.previous_->next_ : head_) = waiter.next_;
    (waiter.next_ != nullptr ? waiter.next_->previous_ : tail_) = waiter.previous_;
    waiter.is_listed_ = false;
    count_.fetch_sub(1, std::memory_order_relaxed);
}

void WaitList::enter(Waiter& waiter) noexcept {
    Locked(*this).append(waiter);
}

bool WaitList::remove(Waiter& waiter) noexcept {
    if (waiter.is_notified()) return false;
    const bool was_listed = Locked(*this).take(waiter);
    // A notifier takes the waiter off the list before it sets the word: the waiter must outlive
    // that.
    if (!was_listed) waiter.wait_until_notified();
    return was_listed;
}

bool WaitList::Locked::take(Waiter& waiter) noexcept {
    // Forked while it waited, in a signal handler: list and notifier are the parent's.
    if (waiter.generation_ != list_.generation_) return true;
    if (!waiter.is_listed_) return false;
    list_.unlink(waiter);
    return true;
}

void WaitList::Locked::learn_from(const Waiter& waiter) noexcept {
    announce_notifier();
    const std::uint16_t budget = list_.spin_budget_.load(std::memory_order_relaxed);
    // Acquire pairs with the release that set kAsleep, and makes has_spun_ readable.
    const std::uint32_t word = waiter.word_.load(std::memory_order_acquire);
    if ((word & Waiter::kSuspended) != 0) return;  // coroutines do not spin
    const bool is_asleep = (word & Waiter::kAsleep) != 0;
    if (is_asleep && !waiter.has_spun_) return;
    list_.spin_budget_.store(is_asleep ? after_failure(budget) : after_success(budget),
                             std::memory_order_relaxed);
}

void WaitList::Locked::announce_notifier() noexcept {
    list_.notifier_cpu_.store(static_cast<std::int16_t>(os::current_cpu()),
                              std::memory_order_relaxed);
}

std::size_t WaitList::notify_listed(std::size_t most) noexcept {
    // Those to wake are moved to a chain of this thread's own, so that the lock is not held over
    // system calls.
    mutex_.lock();
    forget_other_process();
    notifier_cpu_.store(static_cast<std::int16_t>(os::current_cpu()), std::memory_order_relaxed);
    Waiter* const chain = head_;
    Waiter* last = nullptr;
    std::size_t taken = 0;
    for (Waiter* each = head_; each != nullptr && taken < most; each = each->next_) {
        each->is_listed_ = false;
        last = each;
        ++taken;
    }
    if (last != nullptr) {
        head_ = last->next_;
        (head_ != nullptr ? head_->previous_ : tail_) = nullptr;
        last->next_ = nullptr;
        count_.fetch_sub(static_cast<std::uint32_t>(taken), std::memory_order_relaxed);
    }
    mutex_.unlock();
    // From here on the list itself may be gone.
    const WakesTogether together;
    Waiter* each = taken != 0 ? chain : nullptr;
    while (each != nullptr) {
        Waiter* const next = each->next_;
        each->notify();
        each = next;
    }
    return taken;
}

WaitEnd WaitList::wait_erased(bool (*take)(void*), void* callable, const WaitLimits& limits) {
    if (take(callable)) return WaitEnd::notified;
    if (limits.deadline.has_passed()) return end_of_poll(limits);
    runtime::park_if_abandoned();
    const runtime::ParkAfterwards parking;
    for (bool is_first = true;; is_first = false) {
        Waiter waiter;
        {
            // Whoever was woken and came too late keeps his place.
            Locked view(*this);
            is_first ? view.append(waiter) : view.prepend(waiter);
        }
        // On every way out the waiter leaves the list, and a notification that did not lead to
        // success goes to the next one.
        struct Leave {
            WaitList& list;
            Waiter& waiter;
            bool is_used = false;
            ~Leave() {
                if (!list.remove(waiter) && !is_used) list.notify_one();
            }
        } leave{*this, waiter};
        if (take(callable)) return WaitEnd::notified;
        const WaitEnd end = waiter.spin_then_sleep(*this, limits);
        if (take(callable)) {
            leave.is_used = end == WaitEnd::notified;
            return WaitEnd::notified;
        }
        if (end != WaitEnd::notified) return end;
        // Somebody else was quicker: what was announced is gone, and so is the notification.
        leave.is_used = true;
    }
}

}  // namespace weft::detail
