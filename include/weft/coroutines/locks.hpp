#pragma once

#include <concepts>
#include <mutex>
#include <stop_token>
#include <type_traits>
#include <utility>

#include <weft/detail/config.hpp>
#include <weft/detail/coroutine_wait.hpp>
#include <weft/resume_on.hpp>
#include <weft/threading/condition.hpp>
#include <weft/threading/event.hpp>
#include <weft/threading/lock.hpp>
#include <weft/threading/semaphore.hpp>

// The co_await forms of the waits in weft::threading. For all of them:
//
// A coroutine waits in the same line as the threads, without a thread of its own. It goes on where
// `resume_on` says (see <weft/resume_on.hpp>) when it had to wait, and at once otherwise. A `stop`
// that is triggered ends the wait; what is there already is got even if that was before. These are
// parameters, and no options: GCC 12 destroys aggregates twice that are made inside of a co_await.
//
// Several coroutines that one thread ends the waits of go on one after
// the other, not one inside the other; so a coroutine must not block its thread for what another
// coroutine is to do.
//
// There are no limits of time: trigger the stop token, from a Timer or a scheduler. Ctrl-C does not
// end a coroutine's wait. The object must live until the coroutine has gone on. After fork, a
// coroutine that waits in the child is notified by nobody there.
//
// A coroutine may be destroyed while it waits, as long as nobody resumes it at that moment: it
// leaves the line, and what it had just been given is handed on. One whose handle was given to
// resume_on already may be destroyed too, if the handle is then not used any more.

namespace weft::coroutines {

namespace detail {

using weft::detail::CoroutineWait;

class WEFT_API LockWait : public CoroutineWait {
public:
    LockWait(threading::Lock& lock, std::stop_token stop, ResumeOn resume_on) noexcept;
    ~LockWait();
    bool await_ready() noexcept;
    void await_resume();

protected:
    threading::Lock& lock_;

private:
    friend class ConditionWait;
    bool take_or_list(bool is_first) override;
    bool take_when_notified() override;
};

class WEFT_API SemaphoreWait : public CoroutineWait {
public:
    SemaphoreWait(threading::Semaphore& semaphore, std::stop_token stop,
                  ResumeOn resume_on) noexcept;
    ~SemaphoreWait();
    bool await_ready() noexcept;
    void await_resume();

protected:
    threading::Semaphore& lock_;

private:
    bool take_or_list(bool is_first) override;
    bool take_when_notified() override;
};

/// A wait whose end is a scope that gives back what was acquired.
template <class Wait, class Lockable>
class GuardWait final : public Wait {
public:
    using Wait::Wait;
    std::unique_lock<Lockable> await_resume() {
        Wait::await_resume();
        return std::unique_lock<Lockable>(this->lock_, std::adopt_lock);
    }
};

class WEFT_API EventWait final : public CoroutineWait {
public:
    EventWait(threading::Event& event, std::stop_token stop, ResumeOn resume_on) noexcept;
    ~EventWait();
    bool await_ready() const noexcept;
    void await_resume();

private:
    bool take_or_list(bool is_first) override;
    bool take_when_notified() override;

    threading::Event& event_;
};

/// Two waits in one: for the notification, and then for the lock.
class WEFT_API ConditionWait final : public CoroutineWait {
public:
    ConditionWait(threading::Condition& condition, std::stop_token stop, ResumeOn resume_on);
    ~ConditionWait();
    bool await_ready() const;
    void await_resume();

private:
    bool take_or_list(bool is_first) override;
    bool take_when_notified() override;
    bool may_go_on() noexcept override;

    threading::Condition& condition_;
    LockWait relock_;
    bool has_released_ = false;
};

/// What the functions below return: something to be awaited, now or later. Copies mean the same.
template <class Wait, class Object>
class [[nodiscard]] Waiting {
public:
    Waiting(Object& object, std::stop_token stop, ResumeOn resume_on) noexcept
        : object_(&object), stop_(std::move(stop)), resume_on_(resume_on) {}
    Wait operator co_await() const { return Wait(*object_, stop_, resume_on_); }

private:
    Object* object_;
    std::stop_token stop_;
    ResumeOn resume_on_;
};

template <class Lockable>
concept lockable =
    std::same_as<Lockable, threading::Lock> || std::derived_from<Lockable, threading::Semaphore>;

template <class Lockable>
using GuardOf =
    GuardWait<std::conditional_t<std::same_as<Lockable, threading::Lock>, LockWait, SemaphoreWait>,
              std::conditional_t<std::same_as<Lockable, threading::Lock>, threading::Lock,
                                 threading::Semaphore>>;

template <class T>
inline constexpr bool is_a_lock = false;

}  // namespace detail

/// Locks: `co_await coroutines::acquire(lock);`. The lock is handed to the coroutine by the
/// release() of its holder; release it as threads do, from any thread. The checker of lock orders
/// does not see locks that coroutines hold.
inline auto acquire(threading::Lock& lock, ResumeOn resume_on = {}) {
    return detail::Waiting<detail::LockWait, threading::Lock>(lock, {}, resume_on);
}
/// The same; throws weft::Cancelled when `stop` is triggered first.
inline auto acquire(threading::Lock& lock, std::stop_token stop, ResumeOn resume_on = {}) {
    return detail::Waiting<detail::LockWait, threading::Lock>(lock, std::move(stop), resume_on);
}

/// Takes a permit, in the same way.
inline auto acquire(threading::Semaphore& semaphore, ResumeOn resume_on = {}) {
    return detail::Waiting<detail::SemaphoreWait, threading::Semaphore>(semaphore, {}, resume_on);
}
inline auto acquire(threading::Semaphore& semaphore, std::stop_token stop,
                    ResumeOn resume_on = {}) {
    return detail::Waiting<detail::SemaphoreWait, threading::Semaphore>(semaphore, std::move(stop),
                                                                        resume_on);
}

/// The same, for a scope: `const auto held = co_await coroutines::guard(lock);` gives a
/// `std::unique_lock`, which releases what was acquired.
template <detail::lockable Lockable>
auto guard(Lockable& lock, ResumeOn resume_on = {}) {
    return detail::Waiting<detail::GuardOf<Lockable>, Lockable>(lock, {}, resume_on);
}
template <detail::lockable Lockable>
auto guard(Lockable& lock, std::stop_token stop, ResumeOn resume_on = {}) {
    return detail::Waiting<detail::GuardOf<Lockable>, Lockable>(lock, std::move(stop), resume_on);
}

/// An RLock is its thread's, and a coroutine may go on in another one.
template <std::same_as<threading::RLock> RLock>
void acquire(RLock& /*lock*/, const auto&... /*how*/) {
    static_assert(detail::is_a_lock<RLock>,
                  "an RLock belongs to a thread, and a coroutine may go on in another one: use a "
                  "threading::Lock");
}
template <std::same_as<threading::RLock> RLock>
void guard(RLock& lock, const auto&... how) {
    acquire(lock, how...);
}

/// Waits until the event is set: `co_await coroutines::wait(event);`.
inline auto wait(threading::Event& event, ResumeOn resume_on = {}) {
    return detail::Waiting<detail::EventWait, threading::Event>(event, {}, resume_on);
}
/// The same; throws weft::Cancelled when `stop` is triggered first.
inline auto wait(threading::Event& event, std::stop_token stop, ResumeOn resume_on = {}) {
    return detail::Waiting<detail::EventWait, threading::Event>(event, std::move(stop), resume_on);
}

/// Releases the condition's lock, waits until notified, and locks again before the coroutine goes
/// on, however the wait ends: `while (!ready) co_await coroutines::wait(condition);`. The condition
/// must have been made with a Lock, which the coroutine holds; it must outlive the condition's
/// waits.
///
/// Throws `std::runtime_error` when the lock is not held, and when it is an RLock.
inline auto wait(threading::Condition& condition, ResumeOn resume_on = {}) {
    return detail::Waiting<detail::ConditionWait, threading::Condition>(condition, {}, resume_on);
}
/// The same; throws weft::Cancelled, with the lock held, when `stop` is triggered first.
inline auto wait(threading::Condition& condition, std::stop_token stop, ResumeOn resume_on = {}) {
    return detail::Waiting<detail::ConditionWait, threading::Condition>(condition, std::move(stop),
                                                                        resume_on);
}

}  // namespace weft::coroutines
