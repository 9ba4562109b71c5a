#include <weft/threading/barrier.hpp>

#include <cassert>
#include <utility>

#include <weft/detail/thread_number.hpp>

#include "detail/fmt.hpp"
#include "runtime/parking.hpp"
#include "threading/destruction.hpp"

// Barrier has its state and its list of waiters under one lock, the list's, which is held for a few
// instructions. Each thread that waits is an Arrival on its own stack.
//
//                     all have arrived,           the action has returned:
//                     there is an action          everybody is released
//      filling ------------------------> acting ----------------------------> filling
//         |  ^                            |  |
//         |  |  the action has ended      |  | reset(): the round fails
//         |  +------------- resetting <---|--+
//         | abort(), a thread leaves,     | abort(), the action throws:
//         | its round fails               | the round fails
//         +-----------> broken <----------+
//                         |  reset(): filling, or resetting while the action still runs
//
// Without an action the last to arrive goes from filling to filling in one step.
//
// Python's barrier has a state "draining", in which new arrivals wait until the last round has
// left, because whoever leaves reads there how his round has ended. Here the outcome is written
// into the Arrival by the thread that takes it off the list, with the lock held, so that a round
// has left the barrier in the step that decides it, and the next one may begin.
//
// While the action runs, those who arrive are listed too, but not counted; when it has ended they
// are sent back to arrive anew. In this time limits are not obeyed: the round is complete, and must
// end in the same way for everybody.
//
// Destruction: the last access of whoever decides a round is the release of the lock; the others
// are notified afterwards and do not touch the barrier any more, unless they had begun to leave by
// themselves.
//
// Fork: the child's first view of the list says that the other threads are gone; the round is empty
// then. If the action was under way on another thread, it is no longer; if the thread that runs it
// has forked, it ends the round in the child as well.

namespace weft::threading {

using detail::WaitEnd;
using detail::Waiter;
using detail::WaitLimits;
using detail::WaitList;

BrokenBarrierError::~BrokenBarrierError() = default;

struct Barrier::Arrival : Waiter {
    int index = 0;
    bool is_counted = false;  ///< belongs to the round; guarded by the lock, as is the outcome
    Outcome outcome = Outcome::open;
};

/// The barrier with its lock held.
class Barrier::View : public WaitList::Locked {
public:
    explicit View(const Barrier& barrier) noexcept : Locked(barrier.waiters_), barrier_(barrier) {
        if (!is_after_fork()) return;
        barrier.arrived_ = 0;
        if (barrier.actor_ != 0 && barrier.actor_ != detail::this_thread_number()) {
            barrier.actor_ = 0;
            if (barrier.state_ != State::broken) barrier.state_ = State::filling;
        }
    }

    /// Ends the round: takes everybody off the list, with this outcome for those of the round.
    void end_round(Outcome outcome, State next, detail::WakeChain& chain) noexcept {
        barrier_.arrived_ = 0;
        barrier_.state_ = next;
        if (first() != nullptr) learn_from(*first());
        while (Waiter* const each = take_first()) {
            auto& arrival = static_cast<Arrival&>(*each);
            // Who is not of the round arrives anew, and may find the barrier broken.
            arrival.outcome = arrival.is_counted ? outcome : Outcome::again;
            chain.add(arrival);
        }
    }

private:
    const Barrier& barrier_;
};

Barrier::Barrier(int parties, std::function<void()> action, Timeout timeout)
    : parties_(parties), timeout_(timeout), action_(std::move(action)) {
    if (parties < 1) {
        throw std::invalid_argument(
            fmt::format("Barrier: parties is {}; it must be at least 1", parties));
    }
}

Barrier::~Barrier() {
    assert(!is_waited_for(waiters_) && "a barrier must not be destroyed while a thread waits");
}

int Barrier::wait(Timeout timeout) {
    return wait_within(nullptr, timeout);
}

int Barrier::wait(std::stop_token stop, Timeout timeout) {
    return wait_within(&stop, timeout);
}

int Barrier::wait_within(const std::stop_token* stop, Timeout timeout) {
    runtime::park_if_abandoned();
    const runtime::ParkAfterwards parking;
    const WaitLimits limits{
        .deadline = detail::Deadline::after(timeout.is_none() ? timeout_ : timeout), .stop = stop};
    for (;;) {
        Arrival arrival;
        detail::SpinAdvice advice{};
        detail::WakeChain chain;
        const bool has_action = action_ != nullptr;
        bool is_last = false;
        bool is_broken = false;
        bool is_of_the_action = false;
        {
            View view(*this);
            is_broken = state_ == State::broken;
            is_of_the_action = actor_ != 0 && actor_ == detail::this_thread_number();
            if (!is_broken && !is_of_the_action) {
                arrival.is_counted = state_ == State::filling;
                if (arrival.is_counted) arrival.index = arrived_++;
                is_last = arrival.is_counted && arrived_ == parties_;
                if (!is_last) {
                    view.append(arrival);
                    advice = view.advice();
                } else if (has_action) {
                    state_ = State::acting;
                    actor_ = detail::this_thread_number();
                } else {
                    view.end_round(Outcome::released, State::filling, chain);
                }
            }
        }
        if (is_of_the_action) {
            throw std::runtime_error("wait: a barrier's action cannot wait for that barrier");
        }
        if (is_broken) throw BrokenBarrierError("wait: the barrier is broken; reset() mends it");
        if (is_last) {
            // Without an action the round is over, and the barrier may be gone.
            chain.notify_all();
            return has_action ? act(arrival.index) : arrival.index;
        }
        const WaitEnd end = arrival.spin_then_sleep(advice, limits);
        if (end != WaitEnd::notified && give_up(arrival)) {
            detail::throw_if_stopped(end);
            throw BrokenBarrierError("wait: the time was up before all parties had arrived");
        }
        if (arrival.outcome == Outcome::released) return arrival.index;
        if (arrival.outcome == Outcome::broken) {
            throw BrokenBarrierError("wait: the barrier was broken or reset during the wait");
        }
    }
}

/// Runs the action in the thread that has completed a round, and ends the round.
int Barrier::act(int index) {
    try {
        action_();
    } catch (...) {
        end_action(false);
        throw;
    }
    end_action(true);
    return index;
}

/// Throws BrokenBarrierError when the action has succeeded and the round was broken all the same.
void Barrier::end_action(bool has_succeeded) {
    detail::WakeChain chain;
    bool has_failed = false;
    {
        View view(*this);
        // Forked by the action, and another thread of the child was here first.
        if (actor_ != detail::this_thread_number()) return;
        actor_ = 0;
        has_failed = state_ != State::acting;
        if (state_ == State::acting) {
            has_succeeded ? view.end_round(Outcome::released, State::filling, chain)
                          : view.end_round(Outcome::broken, State::broken, chain);
        } else if (state_ == State::resetting) {
            view.end_round(Outcome::broken, State::filling, chain);
        }
    }
    chain.notify_all();
    if (has_failed && has_succeeded) {
        throw BrokenBarrierError("wait: the barrier was aborted or reset during its action");
    }
}

/// For an arrival whose wait a limit has ended. Returns true when it has left, and the barrier is
/// broken by that; false when its round was decided by others, and its outcome is there.
bool Barrier::give_up(Arrival& arrival) noexcept {
    detail::WakeChain chain;
    bool has_left = false;
    {
        View view(*this);
        if (arrival.outcome == Outcome::open && state_ == State::filling) {
            has_left = view.take(arrival);
            view.end_round(Outcome::broken, State::broken, chain);
        }
    }
    chain.notify_all();
    // Taken off by others, or to be so when the action has ended.
    if (!has_left) arrival.wait_until_notified();
    return has_left;
}

void Barrier::reset() noexcept {
    detail::WakeChain chain;
    {
        View view(*this);
        if (actor_ == 0) {
            view.end_round(Outcome::broken, State::filling, chain);
        } else {
            arrived_ = 0;
            state_ = State::resetting;
            // The counted fail now; the others wait until the action has ended.
            detail::Waiter* each = view.first();
            while (each != nullptr) {
                auto& arrival = static_cast<Arrival&>(*each);
                each = view.next(*each);
                if (!arrival.is_counted) continue;
                view.take(arrival);
                arrival.outcome = Outcome::broken;
                chain.add(arrival);
            }
        }
    }
    chain.notify_all();
}

void Barrier::abort() noexcept {
    detail::WakeChain chain;
    {
        View view(*this);
        view.end_round(Outcome::broken, State::broken, chain);
    }
    chain.notify_all();
}

int Barrier::n_waiting() const noexcept {
    const View view(*this);
    return state_ == State::filling || state_ == State::acting ? arrived_ : 0;
}

bool Barrier::broken() const noexcept {
    const View view(*this);
    return state_ == State::broken;
}

std::string Barrier::repr() const {
    int arrived = 0;
    bool is_broken = false;
    {
        const View view(*this);
        arrived = arrived_;
        is_broken = state_ == State::broken;
    }
    return is_broken ? fmt::format("<weft::threading::Barrier at {}: broken>", fmt::ptr(this))
                     : fmt::format("<weft::threading::Barrier at {}: waiters={}/{}>",
                                   fmt::ptr(this), arrived, parties_);
}

}  // namespace weft::threading
