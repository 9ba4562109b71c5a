#pragma once

#include <concepts>
#include <cstddef>
#include <functional>
#include <stop_token>
#include <string>
#include <type_traits>
#include <utility>

#include <weft/detail/annotations.hpp>
#include <weft/dummy_threading/lock.hpp>
#include <weft/timeout.hpp>

namespace weft::dummy_threading {

/// As threading::Condition, among no threads: nobody waits when something is notified, and nobody
/// notifies while something waits.
class WEFT_CAPABILITY("lock") Condition {
public:
    /// With an RLock of its own, or a given lock.
    constexpr Condition() noexcept = default;
    explicit Condition(Lock& lock) noexcept : given_lock_(&lock) {}
    explicit Condition(RLock& lock) noexcept : rlock_(&lock) {}
    Condition(const Condition&) = delete;
    Condition& operator=(const Condition&) = delete;

    /// The underlying lock's members.
    bool acquire() WEFT_ACQUIRE() {
        return given_lock_ != nullptr ? given_lock_->acquire() : rlock_->acquire();
    }
    bool acquire(std::same_as<bool> auto blocking, Timeout timeout = {}) WEFT_TRY_ACQUIRE(true) {
        return given_lock_ != nullptr ? given_lock_->acquire(blocking, timeout)
                                      : rlock_->acquire(blocking, timeout);
    }
    bool release() WEFT_RELEASE() {
        return given_lock_ != nullptr ? given_lock_->release() : rlock_->release();
    }
    [[nodiscard]] bool locked() const noexcept {
        return given_lock_ != nullptr ? given_lock_->locked() : rlock_->locked();
    }
    void lock() WEFT_ACQUIRE() { acquire(); }
    void unlock() WEFT_RELEASE() { release(); }
    [[nodiscard]] bool try_lock() WEFT_TRY_ACQUIRE(true) { return acquire(false); }

    /// Waits until `timeout` has passed and returns false. Throws `std::runtime_error` when the
    /// lock is not held, and without a limit, since nobody could notify.
    bool wait(Timeout timeout = {}) WEFT_REQUIRES(this) { return wait_in_vain(timeout, nullptr); }
    /// The same; throws weft::Cancelled when `stop` is triggered first.
    bool wait(const std::stop_token& stop, Timeout timeout = {}) WEFT_REQUIRES(this) {
        return wait_in_vain(timeout, &stop);
    }

    /// Returns what the predicate returns: at once if that is true, else once more after a wait().
    template <std::invocable Predicate>
    auto wait_for(Predicate predicate, Timeout timeout = {}) WEFT_REQUIRES(this) {
        return wait_until(std::move(predicate), timeout, nullptr);
    }
    template <std::invocable Predicate>
    auto wait_for(Predicate predicate, const std::stop_token& stop, Timeout timeout = {})
        WEFT_REQUIRES(this) {
        return wait_until(std::move(predicate), timeout, &stop);
    }

    /// Throws `std::runtime_error` when the lock is not held; else does nothing.
    void notify(std::ptrdiff_t = 1) WEFT_REQUIRES(this) { require_held("notify"); }
    void notify_all() WEFT_REQUIRES(this) { require_held("notify_all"); }
    [[deprecated("use notify_all()")]] void notifyAll() WEFT_REQUIRES(this) { notify_all(); }

    [[nodiscard]] WEFT_API std::string repr() const;

private:
    template <class Predicate>
    auto wait_until(Predicate predicate, Timeout timeout, const std::stop_token* stop) {
        auto result = std::invoke(predicate);
        if (static_cast<bool>(result)) return result;
        wait_in_vain(timeout, stop);
        return std::invoke(predicate);
    }
    WEFT_API bool wait_in_vain(Timeout timeout, const std::stop_token* stop);
    WEFT_API void require_held(const char* what) const;

    RLock own_;
    Lock* given_lock_ = nullptr;  ///< null when the lock is the RLock below
    RLock* rlock_ = &own_;
};

}  // namespace weft::dummy_threading
