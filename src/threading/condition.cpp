#include <weft/threading/condition.hpp>

#include <stdexcept>

#include "detail/fmt.hpp"
#include "runtime/parking.hpp"

namespace weft::threading {

using detail::WaitEnd;

void Condition::require_held(const char* what) const {
    const bool is_held = given_lock_ != nullptr ? given_lock_->locked() : rlock_->owns();
    if (!is_held) {
        throw std::runtime_error(
            fmt::format("{}: the condition's lock is not held; acquire it first", what));
    }
}

bool Condition::wait_once(const detail::WaitLimits& limits) WEFT_NO_THREAD_SAFETY_ANALYSIS {
    require_held("wait");
    detail::Waiter waiter;
    // Listed before the lock is released, so that no notification made under the lock is missed.
    waiters_.enter(waiter);
    std::uint64_t level = 0;
    if (given_lock_ != nullptr) {
        try {
            given_lock_->release();
        } catch (...) {
            // Somebody else has released it since require_held().
            if (!waiters_.remove(waiter)) waiters_.notify_one();
            throw;
        }
    } else {
        level = rlock_->level_;
        rlock_->owner_.store(0, std::memory_order_relaxed);
        rlock_->lock_.release();
    }
    WaitEnd end =
        runtime::is_abandoned() ? WaitEnd::timed_out : waiter.spin_then_sleep(waiters_, limits);
    // A notification that came together with another end counts: the notifier has counted it.
    if (end != WaitEnd::notified && !waiters_.remove(waiter)) end = WaitEnd::notified;
    // Here the lock is left to those who go on.
    runtime::park_if_abandoned();
    if (given_lock_ != nullptr) {
        given_lock_->acquire_uninterruptibly();
    } else {
        rlock_->lock_.acquire_uninterruptibly();
        rlock_->take();
        rlock_->level_ = level;
    }
    detail::throw_if_stopped(end);
    return end == WaitEnd::notified;
}

void Condition::require_held_lock() const {
    if (given_lock_ == nullptr) {
        throw std::runtime_error(
            "wait: a coroutine may go on in another thread than the one that owns an RLock; make "
            "the condition with a Lock");
    }
    require_held("wait");
}

void Condition::list_and_release(detail::Waiter& waiter) WEFT_NO_THREAD_SAFETY_ANALYSIS {
    // Listed before the lock is released, as a thread is.
    waiters_.enter(waiter);
    try {
        given_lock_->release();
    } catch (...) {
        // Somebody else has released it since require_held_lock().
        if (!waiters_.remove(waiter)) waiters_.notify_one();
        throw;
    }
}

std::string Condition::repr() const {
    return fmt::format("<weft::threading::Condition({}, {})>",
                       given_lock_ != nullptr ? given_lock_->repr() : rlock_->repr(),
                       waiters_.is_empty() ? "no waiters" : "with waiters");
}

}  // namespace weft::threading
