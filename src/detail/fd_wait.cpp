#include "detail/fd_wait.hpp"

#include <cstdint>
#include <stop_token>

#include "detail/fd_waker.hpp"
#include "detail/interruption.hpp"
#include "detail/timed_sleep.hpp"
#include "runtime/parking.hpp"

namespace weft::detail {

namespace {

void poke_waker(void* waker) noexcept {
    static_cast<FdWaker*>(waker)->poke();
}

struct PokeWaker {
    FdWaker* waker;
    void operator()() const noexcept { waker->poke(); }
};

}  // namespace

WaitEnd wait_for_descriptors(std::span<os::Watched> watched, const WaitLimits& limits) {
    constexpr std::int64_t kLongAgo = 0;
    if (os::poll_until(watched, -1, kLongAgo).is_any_ready) return WaitEnd::notified;
    if (limits.deadline.has_passed()) return WaitEnd::timed_out;
    runtime::park_if_abandoned();
    const runtime::ParkAfterwards parking;

    const FdWakerLease waker;
    // Each of these pokes the waker only while it lives, so the lease outlives them all.
    const std::stop_callback on_stop(limits.stop != nullptr ? *limits.stop : std::stop_token(),
                                     PokeWaker{&*waker});
    const TimedSleep timed(&poke_waker, &*waker, limits.deadline);
    const InterruptibleSleep interruptible(&poke_waker, &*waker, limits.is_interruptible);
    for (;;) {
        // A signal handler may have forked, and this be the child.
        waker->open();
        if (limits.stop != nullptr && limits.stop->stop_requested()) return WaitEnd::cancelled;
        if (interruptible.is_requested()) return WaitEnd::interrupted;
        if (limits.deadline.has_passed()) return WaitEnd::timed_out;
        const os::PollResult result = os::poll_until(watched, waker->fd(), timed.system_deadline());
        if (result.is_any_ready) return WaitEnd::notified;
        // Before the limits are looked at: a poke that comes later ends the next poll at once.
        if (result.is_woken) waker->clear();
    }
}

}  // namespace weft::detail
