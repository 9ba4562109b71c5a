#include <weft/threading/event.hpp>

#include <cassert>

#include "detail/fmt.hpp"
#include "runtime/parking.hpp"
#include "threading/destruction.hpp"

// The state word of Event:
//
//   kSet      it is set.
//   kWaiters  somebody may be listed in waiters_. Set and cleared with the list's lock held.
//
// A thread enters the list, with the list's lock held, in a step that has found kSet clear and has
// set kWaiters. A set() that finds kWaiters sets kSet with the list's lock held and takes everybody
// off; one that finds it clear comes before that step in the order of the word's modifications, or
// after the list was emptied. So while kSet is set nobody is listed, and no wake-up is lost.
//
// To be taken off the list is what lets a thread go, whatever the word says when it runs again: a
// clear() that follows holds nobody back.
//
// Destruction: set() makes its last access to the event where it sets kSet, or, if it has taken
// waiters off, where it unlocks the list: these are still inside wait(), and notified afterwards.
// (A waiter that was notified does not touch the event any more; one whose time was up may.)
//
// Fork: the list is empty in the child. A kWaiters that is left over makes one set() look in vain.

namespace weft::threading {

using detail::WaitEnd;
using detail::Waiter;
using detail::WaitList;

Event::~Event() {
    assert(!is_waited_for(waiters_) && "an event must not be destroyed while a thread waits");
}

void Event::set_slow() noexcept {
    for (;;) {
        detail::WakeChain chain;
        {
            WaitList::Locked view(waiters_);
            if (view.is_empty()) {
                // Those who waited have left by themselves. To set it here would be too early: who
                // sees it may destroy the list whose lock is held.
                state_.fetch_and(~kWaiters, std::memory_order_relaxed);
            } else {
                state_.exchange(kSet, std::memory_order_seq_cst);
                view.learn_from(*view.first());
                while (Waiter* const first = view.take_first()) chain.add(*first);
            }
        }
        if (!chain.is_empty()) {
            chain.notify_all();
            return;
        }
        std::uint32_t seen = state_.load(std::memory_order_relaxed);
        while ((seen & kWaiters) == 0) {
            if (state_.compare_exchange_weak(seen, kSet, std::memory_order_seq_cst,
                                             std::memory_order_relaxed)) {
                return;
            }
        }
    }
}

/// Called with the list's lock held: returns true when it is set, or sets kWaiters.
bool Event::see_or_announce() noexcept {
    std::uint32_t seen = state_.load(std::memory_order_seq_cst);
    do {
        if ((seen & kSet) != 0) return true;
    } while (!state_.compare_exchange_weak(seen, kWaiters, std::memory_order_seq_cst));
    return false;
}

bool Event::see_or_list(Waiter& waiter) noexcept {
    WaitList::Locked view(waiters_);
    if (see_or_announce()) return true;
    view.append(waiter);
    return false;
}

bool Event::wait_within(const std::stop_token* stop, Timeout timeout) {
    if (!timeout.is_none() && timeout.length().count() <= 0) return false;
    const detail::WaitLimits limits{.deadline = detail::Deadline::after(timeout), .stop = stop};
    runtime::park_if_abandoned();
    const runtime::ParkAfterwards parking;
    Waiter waiter;
    detail::SpinAdvice advice{};
    {
        WaitList::Locked view(waiters_);
        if (see_or_announce()) return true;
        view.append(waiter);
        advice = view.advice();
    }
    WaitEnd end = waiter.spin_then_sleep(advice, limits);
    // Whom set() has taken off the list was let go, whatever else has ended the wait.
    if (end != WaitEnd::notified && !waiters_.remove(waiter)) end = WaitEnd::notified;
    detail::throw_if_stopped(end);
    return end == WaitEnd::notified;
}

std::string Event::repr() const {
    return fmt::format("<weft::threading::Event at {}: {}>", fmt::ptr(this),
                       is_set() ? "set" : "unset");
}

}  // namespace weft::threading
