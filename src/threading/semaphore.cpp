#include <weft/threading/semaphore.hpp>

#include <cassert>
#include <stdexcept>

#include "detail/fmt.hpp"
#include "os/cpu.hpp"
#include "runtime/parking.hpp"
#include "threading/destruction.hpp"

// The state word of Semaphore, one 64-bit number:
//
//   permits  (41 bits) how many are free.
//   woken    (22 bits) how many threads were taken off the list to compete for a permit and have
//            not decided yet. There are no more threads than that in a system.
//   kWaiters (1 bit) somebody may be listed in waiters_. Set and cleared with the list's lock held.
//
// The rule: whenever somebody is listed, permits <= woken. So for each free permit there is a
// thread on its way, and nobody sleeps beside a permit that is his. Every change keeps it:
//
//   a running thread takes one    permits - 1
//   a woken thread takes one      permits - 1, woken - 1
//   a woken thread goes back to   woken - 1, only when permits = 0, in the step that sets kWaiters
//   the list, or its time is up
//   a thread enters the list      only when permits = 0, in the step that sets kWaiters
//   a release                     adds its permits at once if the rule then still holds; else takes
//                                 waiters off the list, and counts them as woken in the same step
//
// Since all of it is one word that is changed by read-modify-writes only, no wake-up is lost (see
// docs/decisions/0001-wake-path.md, "One word"). A busy semaphore costs one wake-up for many
// acquisitions, since releases wake nobody while enough threads are on their way; and no release
// wakes more threads than it has permits.
//
// Fairness: as in Lock. A woken thread that has waited for kPatience and has lost is handed the
// permit of a release: it is then neither counted as a permit nor as woken.
//
// Destruction: the step that publishes permits is the last access to the semaphore, unless waiters
// were taken off; these are then still inside acquire(), and are notified after the last access.
//
// Fork: those who were woken or listed may be missing in the child. The first view of the list
// there says so, and whoever has it clears woken. Each thread subtracts only what it was counted as
// in its own process.

namespace weft::threading {

namespace {

using detail::WaitEnd;
using detail::Waiter;
using detail::WaitLimits;
using detail::WaitList;

constexpr std::int64_t kPatience = 1'000'000;  // nanoseconds
constexpr int kPauseDoublings = 5;
constexpr int kYields = 16;

}  // namespace

Semaphore::~Semaphore() {
    assert(!is_waited_for(waiters_) && "a semaphore must not be destroyed while a thread waits");
}

void Semaphore::throw_bad_value(std::ptrdiff_t value) {
    if (value < 0) {
        throw std::invalid_argument(
            fmt::format("Semaphore: the value is {}; it must not be negative", value));
    }
    throw std::overflow_error(
        fmt::format("Semaphore: the value is {}; at most {} are possible", value, kMaxPermits));
}

void Semaphore::throw_timeout_of_a_try(Timeout timeout) {
    throw std::invalid_argument(
        fmt::format("acquire: a non-blocking call takes no timeout, and this is one of {} ns",
                    timeout.length().count()));
}

void Semaphore::throw_no_room(std::uint64_t state, std::ptrdiff_t n) const {
    const std::string what =
        fmt::format("release: {} more than the {} there are exceeds {} {}", n, state / kOnePermit,
                    is_bounded() ? "the initial value" : "the limit", bound_);
    if (is_bounded()) throw std::invalid_argument(what);
    throw std::overflow_error(what);
}

void Semaphore::acquire_or_throw() {
    detail::throw_if_stopped(acquire_slow({}));
}

bool Semaphore::acquire_within(const std::stop_token* stop, Timeout timeout) {
    if (!timeout.is_none() && timeout.length().count() <= 0) return false;
    const WaitEnd end = acquire_slow({.deadline = detail::Deadline::after(timeout), .stop = stop});
    detail::throw_if_stopped(end);
    return end == WaitEnd::notified;
}

WaitEnd Semaphore::acquire_slow(const WaitLimits& limits) noexcept {
    runtime::park_if_abandoned();
    const WaitEnd end = compete(limits);
    if (runtime::is_abandoned()) [[unlikely]] {
        // The permit is for those who go on.
        if (end == WaitEnd::notified) give_back();
        runtime::park_if_abandoned();
    }
    return end;
}

void Semaphore::give_back() noexcept {
    // One that no longer fits has been replaced meanwhile.
    if (has_room(state_.load(std::memory_order_relaxed), 1)) release_to_waiters(1);
}

bool Semaphore::forget_other_process(const WaitList::Locked& view) noexcept {
    if (!view.is_after_fork()) return false;
    state_.fetch_and(~kWoken, std::memory_order_relaxed);
    return true;
}

/// Called with the list's lock held: takes a permit and returns true, or sets kWaiters; and takes
/// away what this thread was counted as.
bool Semaphore::take_or_announce(std::uint64_t mine) noexcept {
    std::uint64_t seen = state_.load(std::memory_order_relaxed);
    for (;;) {
        const bool is_free = seen >= kOnePermit;
        const std::uint64_t next = (is_free ? seen - kOnePermit : seen | kWaiters) - mine;
        if (state_.compare_exchange_weak(seen, next, std::memory_order_acq_rel,
                                         std::memory_order_relaxed)) {
            return is_free;
        }
    }
}

bool Semaphore::take_or_list(Waiter& waiter) noexcept {
    WaitList::Locked view(waiters_);
    forget_other_process(view);
    if (take_or_announce(0)) return true;
    // A coroutine does not compete: it may run late, and would count as on its way until then.
    waiter.is_starving = true;
    waiter.is_granted = false;
    view.append(waiter);
    return false;
}

WaitEnd Semaphore::compete(const WaitLimits& limits) noexcept {
    // A permit is often back before this thread could fall asleep.
    if (os::usable_cpus() > 1) {
        for (int doubling = 0; doubling < kPauseDoublings; ++doubling) {
            for (int i = 0; i < (1 << doubling); ++i) os::pause();
            if (try_take()) return WaitEnd::notified;
        }
    }
    for (int i = 0; i < kYields; ++i) {
        os::yield();
        if (try_take()) return WaitEnd::notified;
    }

    std::int64_t start = 0;  // of the first sleep, once this thread has been overtaken
    std::uint32_t generation = 0;
    for (bool was_woken = false;; was_woken = true) {
        Waiter waiter;
        detail::SpinAdvice advice{};
        {
            WaitList::Locked view(waiters_);
            forget_other_process(view);
            const std::uint32_t current = detail::fork_generation.load(std::memory_order_relaxed);
            const std::uint64_t mine = was_woken && generation == current ? kOneWoken : 0;
            generation = current;
            if (take_or_announce(mine)) return WaitEnd::notified;
            if (was_woken) {
                waiter.is_starving = os::monotonic_now() - start >= kPatience;
                view.prepend(waiter);
            } else {
                start = os::monotonic_now();
                view.append(waiter);
            }
            advice = view.advice();
        }
        WaitEnd end = waiter.spin_then_sleep(advice, limits);
        if (end != WaitEnd::notified) {
            bool was_listed = false;
            {
                WaitList::Locked view(waiters_);
                forget_other_process(view);
                was_listed = view.take(waiter);
            }
            if (was_listed) return end;
            waiter.wait_until_notified();
        }
        if (waiter.is_granted) return WaitEnd::notified;
        if (decide(end, generation)) return end;
    }
}

/// What a woken thread does, counted as woken in `generation`, whose sleep ended with `end`: takes
/// a permit, or leaves if its time is up. Returns false when it is to go back to the list, and is
/// then still counted; else `end` says how acquire() ends.
bool Semaphore::decide(WaitEnd& end, std::uint32_t generation) noexcept {
    std::uint64_t mine = kOneWoken;
    if (generation != detail::fork_generation.load(std::memory_order_relaxed)) [[unlikely]] {
        const WaitList::Locked view(waiters_);
        forget_other_process(view);
        mine = 0;
    }
    std::uint64_t seen = state_.load(std::memory_order_relaxed);
    for (;;) {
        const bool is_free = seen >= kOnePermit;
        if (!is_free && end == WaitEnd::notified) return false;
        const std::uint64_t next = (is_free ? seen - kOnePermit : seen) - mine;
        if (state_.compare_exchange_weak(seen, next, std::memory_order_acq_rel,
                                         std::memory_order_relaxed)) {
            if (is_free) end = WaitEnd::notified;
            return true;
        }
    }
}

void Semaphore::release_slow(std::ptrdiff_t n) {
    if (n < 1) {
        throw std::invalid_argument(fmt::format("release: n is {}; it must be at least 1", n));
    }
    while (!release_to_waiters(n)) {
        const std::uint64_t seen = state_.load(std::memory_order_relaxed);
        if (!has_room(seen, n)) throw_no_room(seen, n);
    }
}

/// Adds n permits, and takes off the list whom they are for. Returns false, with nothing done, when
/// there was no room for them.
bool Semaphore::release_to_waiters(std::ptrdiff_t n) noexcept {
    const auto missing = [n](std::uint64_t state) {
        const auto free = static_cast<std::int64_t>(state / kOnePermit) + n;
        return free - static_cast<std::int64_t>((state & kWoken) / kOneWoken);
    };
    std::uint64_t seen = state_.load(std::memory_order_relaxed);
    for (;;) {
        if (!has_room(seen, n)) return false;
        if ((seen & kWaiters) == 0 || missing(seen) <= 0) {
            if (state_.compare_exchange_weak(seen, seen + permits(n), std::memory_order_release,
                                             std::memory_order_relaxed)) {
                return true;
            }
            continue;
        }
        detail::WakeChain chain;
        {
            WaitList::Locked view(waiters_);
            forget_other_process(view);
            if (view.is_empty()) state_.fetch_and(~kWaiters, std::memory_order_relaxed);
            seen = state_.load(std::memory_order_relaxed);
            std::int64_t count = 0;
            for (;;) {
                if (view.is_empty() || !has_room(seen, n) || missing(seen) <= 0) break;
                // The first `count` waiters are woken, and of these the starving need not compete.
                std::int64_t granted = 0;
                Waiter* each = view.first();
                for (count = 0; each != nullptr && count < missing(seen); ++count) {
                    if (each->is_starving) ++granted;
                    each = view.next(*each);
                }
                std::uint64_t next = seen + permits(n - granted) +
                                     static_cast<std::uint64_t>(count - granted) * kOneWoken;
                if (each == nullptr) next &= ~kWaiters;
                if (state_.compare_exchange_weak(seen, next, std::memory_order_acq_rel,
                                                 std::memory_order_relaxed)) {
                    break;
                }
                count = 0;
            }
            if (count != 0) view.learn_from(*view.first());
            for (; count != 0; --count) {
                Waiter* const first = view.take_first();
                first->is_granted = first->is_starving;
                chain.add(*first);
            }
        }
        if (!chain.is_empty()) {
            chain.notify_all();
            return true;
        }
        seen = state_.load(std::memory_order_relaxed);
    }
}

std::string Semaphore::repr() const {
    const std::uint64_t value = state_.load(std::memory_order_relaxed) / kOnePermit;
    if (!is_bounded()) {
        return fmt::format("<weft::threading::Semaphore at {}: value={}>", fmt::ptr(this), value);
    }
    return fmt::format("<weft::threading::BoundedSemaphore at {}: value={}/{}>", fmt::ptr(this),
                       value, bound_);
}

}  // namespace weft::threading
