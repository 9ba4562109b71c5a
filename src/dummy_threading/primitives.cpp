#include <stdexcept>
#include <utility>

#include <weft/_dummy_thread.hpp>
#include <weft/dummy_threading/barrier.hpp>
#include <weft/dummy_threading/condition.hpp>
#include <weft/dummy_threading/event.hpp>
#include <weft/dummy_threading/semaphore.hpp>

#include "detail/fmt.hpp"

namespace weft::dummy_threading {

using weft::detail::wait_alone;

// Condition
// ----------------------------------------------------------------------------------------

void Condition::require_held(const char* what) const {
    if (!locked()) {
        throw std::runtime_error(
            fmt::format("{}: the condition's lock is not held; acquire it first", what));
    }
}

bool Condition::wait_in_vain(Timeout timeout, const std::stop_token* stop) {
    require_held("wait");
    // The lock stays held: nobody could see that it was released.
    wait_alone("Condition.wait", timeout, stop);
    return false;
}

std::string Condition::repr() const {
    return fmt::format("<weft::dummy_threading::Condition({}, no waiters)>",
                       given_lock_ != nullptr ? given_lock_->repr() : rlock_->repr());
}

// Semaphore
// ----------------------------------------------------------------------------------------

Semaphore::Semaphore(std::ptrdiff_t value, std::ptrdiff_t bound) : value_(value), bound_(bound) {
    if (value < 0) {
        throw std::invalid_argument(
            fmt::format("Semaphore: the value is {}; it must not be negative", value));
    }
}

bool Semaphore::try_acquire(Timeout timeout) {
    if (!timeout.is_none()) {
        throw std::invalid_argument("acquire: a non-blocking call takes no timeout");
    }
    if (value_ == 0) return false;
    --value_;
    return true;
}

bool Semaphore::acquire_within(Timeout timeout, const std::stop_token* stop) {
    if (value_ == 0) {
        wait_alone("Semaphore.acquire", timeout, stop);
        return false;
    }
    --value_;
    return true;
}

void Semaphore::release(std::ptrdiff_t n) {
    if (n < 1) {
        throw std::invalid_argument(fmt::format("release: n is {}; it must be one or more", n));
    }
    if (n > bound_ - value_) {
        throw std::invalid_argument(fmt::format(
            "release: {} and the {} that there are would be more than {}", n, value_, bound_));
    }
    value_ += n;
}

std::string Semaphore::repr() const {
    if (bound_ == (std::numeric_limits<std::ptrdiff_t>::max)()) {
        return fmt::format("<weft::dummy_threading::Semaphore at {}: value={}>", fmt::ptr(this),
                           value_);
    }
    return fmt::format("<weft::dummy_threading::BoundedSemaphore at {}: value={}/{}>",
                       fmt::ptr(this), value_, bound_);
}

// Event
// --------------------------------------------------------------------------------------------

std::string Event::repr() const {
    return fmt::format("<weft::dummy_threading::Event at {}: {}>", fmt::ptr(this),
                       is_set_ ? "set" : "unset");
}

// Barrier
// ------------------------------------------------------------------------------------------

Barrier::Barrier(int parties, std::function<void()> action, Timeout timeout)
    : parties_(parties), action_(std::move(action)), timeout_(timeout) {
    if (parties < 1) {
        throw std::invalid_argument(
            fmt::format("Barrier: the number of parties is {}; it must be one or more", parties));
    }
}

int Barrier::wait_within(Timeout timeout, const std::stop_token* stop) {
    if (is_broken_) throw BrokenBarrierError("wait: the barrier is broken; reset() mends it");
    if (waiting_ + 1 == parties_) {
        // Broken unless the action succeeds.
        is_broken_ = true;
        if (action_) action_();
        is_broken_ = false;
        return waiting_;
    }
    const Timeout limit = timeout.is_none() ? timeout_ : timeout;
    ++waiting_;
    try {
        if (!limit.is_none() || (stop != nullptr && stop->stop_possible())) {
            wait_alone("Barrier.wait", limit, stop);
        }
    } catch (...) {
        --waiting_;
        is_broken_ = true;
        throw;
    }
    --waiting_;
    is_broken_ = true;
    throw BrokenBarrierError(
        fmt::format("wait: {} of {} parties are here, and there is no thread that could come",
                    waiting_ + 1, parties_));
}

std::string Barrier::repr() const {
    if (is_broken_) {
        return fmt::format("<weft::dummy_threading::Barrier at {}: broken>", fmt::ptr(this));
    }
    return fmt::format("<weft::dummy_threading::Barrier at {}: waiters={}/{}>", fmt::ptr(this),
                       waiting_, parties_);
}

}  // namespace weft::dummy_threading
