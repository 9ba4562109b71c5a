#pragma once

#include <weft/detail/atomic.hpp>

#include "os/wake_event.hpp"

namespace weft::detail {

/// What makes a thread that sleeps on descriptors look at its limits again: one more descriptor,
/// which it watches beside them.
class FdWaker {
public:
    /// Throws `std::system_error` when no descriptor is to be had.
    FdWaker() { open(); }
    ~FdWaker() { close(); }
    FdWaker(const FdWaker&) = delete;
    FdWaker& operator=(const FdWaker&) = delete;

    /// Wakes the thread. By any thread and in a signal handler; never blocks.
    void poke() noexcept {
        // Release: the reason for the poke is seen by whoever clears it. Only the first poke since
        // then makes a system call.
        if (!is_poked_.exchange(true, std::memory_order_acq_rel)) os::signal_wake_event(fd());
    }

    /// Takes back the pokes so far. By the owner, whenever the descriptor is readable, and before
    /// it looks at its limits.
    ///
    /// Always both steps, and in this order. A poke between them finds the mark and leaves the
    /// descriptor alone, but its reason is seen after the exchange. A poke that has set the mark
    /// and not yet the descriptor makes that readable later, without a mark: one look too many, and
    /// the next clear().
    void clear() noexcept {
        os::clear_wake_event(fd());
        // Acquire pairs with the release of poke().
        is_poked_.exchange(false, std::memory_order_acq_rel);
    }

    /// True when there are pokes to clear; by the owner, between two waits.
    [[nodiscard]] bool is_poked() const noexcept {
        return is_poked_.load(std::memory_order_relaxed);
    }

    /// The descriptor to watch; negative when it must be opened.
    [[nodiscard]] int fd() const noexcept { return event_.load(std::memory_order_acquire); }

    /// Gets a new descriptor if a fork has taken it, and takes back the pokes so far. By the owner,
    /// before it looks at its limits. Throws `std::system_error` when no descriptor is to be had.
    void open() {
        if (fd() != os::kNoWakeEvent) return;
        event_.store(os::create_wake_event(), std::memory_order_release);
        // A poke that found no descriptor is seen here, as one between the steps of clear() is.
        is_poked_.exchange(false, std::memory_order_acq_rel);
    }

private:
    friend class FdWakers;

    void close() noexcept {
        os::close_wake_event(event_.exchange(os::kNoWakeEvent, std::memory_order_acq_rel));
    }

    Atomic<os::WakeEvent> event_{os::kNoWakeEvent};
    Atomic<bool> is_poked_{false};
    // Guarded by the lock of the list of all wakers.
    FdWaker* next_ = nullptr;
    const void* owner_ = nullptr;  ///< which thread's it is
};

/// The calling thread's waker, for as long as one wait lasts. A thread has one, made at its first
/// wait on descriptors and closed at its end; later still, a wait makes one of its own.
class FdWakerLease {
public:
    /// Throws `std::system_error` or `std::bad_alloc` when the thread's first waker cannot be made.
    FdWakerLease();
    ~FdWakerLease();
    FdWakerLease(const FdWakerLease&) = delete;
    FdWakerLease& operator=(const FdWakerLease&) = delete;

    [[nodiscard]] FdWaker& operator*() const noexcept { return *waker_; }
    [[nodiscard]] FdWaker* operator->() const noexcept { return waker_; }

private:
    FdWaker* waker_;
    bool is_own_;  ///< made for this wait alone
};

/// In a child of fork(): closes the wakers of all threads, which the parent goes on using. The
/// calling thread's are opened anew when it needs them, also by a wait that a signal handler which
/// forked has interrupted.
void forget_fd_wakers_after_fork() noexcept;

}  // namespace weft::detail
