#include <weft/threading/timer.hpp>

#include <stdexcept>

#include <weft/errors.hpp>

// The fate of a timer is one word that leaves `waiting` once, by compare-and-swap: the thread takes
// it to `running` when the interval has passed, cancel() takes it to `cancelled`. Whoever is second
// does nothing. So either the function is called or cancel() has returned true, never both. The
// event only ends the wait early.
//
// The function belongs to the one call of run() that takes it, and dies before that returns. That
// of a timer that never ran dies with the last handle.

namespace weft::detail {

bool TimerBody::cancel() noexcept {
    Fate seen = Fate::waiting;
    // Release and acquire: what was done before the first cancel() is seen by all and by the
    // thread.
    if (fate_.compare_exchange_strong(seen, Fate::cancelled, std::memory_order_acq_rel,
                                      std::memory_order_acquire)) {
        is_over_.set();
        return true;
    }
    return seen == Fate::cancelled;
}

void TimerBody::run(const std::stop_token& stop) {
    if (is_taken_.exchange(true, std::memory_order_acq_rel)) {
        throw std::runtime_error("run: this timer has been run, and its function was released");
    }
    const std::unique_ptr<ThreadBody> function = std::move(function_);
    try {
        is_over_.wait(stop, interval_);
    } catch (const Cancelled&) {
        cancel();
    }
    Fate seen = Fate::waiting;
    if (fate_.compare_exchange_strong(seen, Fate::running, std::memory_order_acq_rel)) {
        function->run(stop);
    }
}

const std::type_info* TimerBody::type() const noexcept {
    return &typeid(threading::Timer);
}

}  // namespace weft::detail
