#include <weft/coroutines/locks.hpp>

#include <utility>

#include <weft/detail/coroutine_access.hpp>

// Locks and semaphores are granted: their release() hands what was waited for to the coroutine, and
// a notification without it does not come. The states are in the decisions' page.

namespace weft::coroutines::detail {

using weft::detail::CoroutineAccess;
using weft::detail::throw_if_stopped;

// Lock --------------------------------------------------------------------------------------------

LockWait::LockWait(threading::Lock& lock, std::stop_token stop, ResumeOn resume_on) noexcept
    : CoroutineWait(CoroutineAccess::waiters(lock), std::move(stop), resume_on), lock_(lock) {}

LockWait::~LockWait() {
    if (abandon()) CoroutineAccess::give_back(lock_);
}

bool LockWait::await_ready() noexcept {
    return CoroutineAccess::try_take(lock_);
}

bool LockWait::take_or_list(bool /*is_first*/) {
    return CoroutineAccess::take_or_list(lock_, *this);
}

bool LockWait::take_when_notified() {
    return is_granted;
}

void LockWait::await_resume() {
    throw_if_stopped(conclude());
}

// Semaphore ---------------------------------------------------------------------------------------

SemaphoreWait::SemaphoreWait(threading::Semaphore& semaphore, std::stop_token stop,
                             ResumeOn resume_on) noexcept
    : CoroutineWait(CoroutineAccess::waiters(semaphore), std::move(stop), resume_on),
      lock_(semaphore) {}

SemaphoreWait::~SemaphoreWait() {
    if (abandon()) CoroutineAccess::give_back(lock_);
}

bool SemaphoreWait::await_ready() noexcept {
    return CoroutineAccess::try_take(lock_);
}

bool SemaphoreWait::take_or_list(bool /*is_first*/) {
    return CoroutineAccess::take_or_list(lock_, *this);
}

bool SemaphoreWait::take_when_notified() {
    return is_granted;
}

void SemaphoreWait::await_resume() {
    throw_if_stopped(conclude());
}

// Event -------------------------------------------------------------------------------------------

EventWait::EventWait(threading::Event& event, std::stop_token stop, ResumeOn resume_on) noexcept
    : CoroutineWait(CoroutineAccess::waiters(event), std::move(stop), resume_on), event_(event) {}

EventWait::~EventWait() {
    static_cast<void>(abandon());  // everybody was notified
}

bool EventWait::await_ready() const noexcept {
    return event_.is_set();
}

bool EventWait::take_or_list(bool /*is_first*/) {
    return CoroutineAccess::see_or_list(event_, *this);
}

bool EventWait::take_when_notified() {
    return true;
}

void EventWait::await_resume() {
    throw_if_stopped(conclude());
}

// Condition ---------------------------------------------------------------------------------------

namespace {

/// The lock to be had back. That of an RLock is never waited for: await_ready() throws before.
threading::Lock& lock_of(threading::Condition& condition) noexcept {
    threading::Lock* const given = CoroutineAccess::given_lock(condition);
    return given != nullptr ? *given : CoroutineAccess::own_lock(condition);
}

}  // namespace

ConditionWait::ConditionWait(threading::Condition& condition, std::stop_token stop,
                             ResumeOn resume_on)
    : CoroutineWait(CoroutineAccess::waiters(condition), std::move(stop), resume_on),
      condition_(condition),
      relock_(lock_of(condition), {}, resume_on) {}

ConditionWait::~ConditionWait() {
    // The notification is another's. What relock_ has got, it gives back itself.
    if (abandon()) CoroutineAccess::waiters(condition_).notify_one();
}

bool ConditionWait::await_ready() const {
    CoroutineAccess::require_held_lock(condition_);
    return false;
}

bool ConditionWait::take_or_list(bool /*is_first*/) {
    CoroutineAccess::list_and_release(condition_, *this);
    has_released_ = true;
    return false;
}

bool ConditionWait::take_when_notified() {
    return true;
}

bool ConditionWait::may_go_on() noexcept {
    return !has_released_ || relock_.start(coroutine());
}

void ConditionWait::await_resume() {
    // The lock is held again, or was never released.
    if (has_released_) static_cast<void>(relock_.conclude());
    throw_if_stopped(conclude());
}

}  // namespace weft::coroutines::detail
