#include <weft/detail/map_job.hpp>

#include <algorithm>
#include <limits>
#include <stdexcept>

#include <weft/concurrent/futures/errors.hpp>
#include <weft/concurrent/futures/map.hpp>

#include "detail/fmt.hpp"
#include "os/cpu.hpp"

namespace weft::detail {

namespace futures = concurrent::futures;

std::size_t inputs_at_once(const futures::MapOptions& options) {
    if (!options.buffersize) return (std::numeric_limits<std::size_t>::max)();
    if (*options.buffersize >= 1) return static_cast<std::size_t>(*options.buffersize);
    throw std::invalid_argument(
        fmt::format("map: buffersize is {}; it must be at least 1", *options.buffersize));
}

void MapJob::make_available(std::size_t end) noexcept {
    // seq_cst: either a driver that is about to leave sees it, or needs_driver() sees that it left.
    available_.store(end, std::memory_order_seq_cst);
}

void MapJob::set_width(std::size_t width) noexcept {
    width_ = width;
    // Drivers that share the calls run in threads of the executor's, which are of this process.
    if (width != 0) generation_ = fork_generation.load(std::memory_order_relaxed);
}

bool MapJob::needs_driver() noexcept {
    if (has_driver_for_each()) return true;
    if (drivers_.load(std::memory_order_seq_cst) >= width_) return false;
    drivers_.fetch_add(1, std::memory_order_seq_cst);
    return true;
}

bool MapJob::claim(std::size_t& number) noexcept {
    number = next_.load(std::memory_order_seq_cst);
    // Acquire of available_: the input is written.
    while (number < available_.load(std::memory_order_seq_cst)) {
        if (next_.compare_exchange_weak(number, number + 1, std::memory_order_seq_cst)) return true;
    }
    return false;
}

void MapJob::drive(bool only_one) {
    struct Guard {
        MapJob* job;
        ~Guard() {
            if (job != nullptr) job->cancel_rest();
        }
    } guard{this};
    TaskRunner* const runner = TaskRunner::current();
    for (;;) {
        if (runner != nullptr && runner->is_cancelling()) cancel_rest();
        std::size_t number = 0;
        if (claim(number)) {
            // Unwound when the call ends its thread: then the calls that are left have no driver.
            run(number);
            if (only_one) break;
        } else {
            if (only_one) break;
            drivers_.fetch_sub(1, std::memory_order_seq_cst);
            if (next_.load(std::memory_order_seq_cst) >= available_.load(std::memory_order_seq_cst))
                break;
            drivers_.fetch_add(1, std::memory_order_seq_cst);
        }
    }
    guard.job = nullptr;
}

void MapJob::finish(std::size_t number) noexcept {
    if (wanted_.load(std::memory_order_seq_cst) == number) waiters_.notify_all();
}

void MapJob::cancel_rest() noexcept {
    // Larger than any number that is available.
    const std::size_t from = next_.exchange(kNone, std::memory_order_seq_cst);
    std::size_t seen = cancelled_from_.load(std::memory_order_seq_cst);
    while (from < seen &&
           !cancelled_from_.compare_exchange_weak(seen, from, std::memory_order_seq_cst)) {
    }
    waiters_.notify_all();
}

/// Lets the drivers have this CPU for a while, as long as that has paid. To be woken for one result
/// of a microsecond costs its driver several; after a turn of the drivers there are many.
bool MapJob::has_come_by_yielding(std::size_t number) noexcept {
    constexpr int kMost = 64;
    for (int i = 0; i < patience_; ++i) {
        os::yield();
        if (is_finished(number)) {
            patience_ = (std::min)(2 * patience_, kMost);
            return true;
        }
    }
    patience_ = (std::max)(patience_ / 2, 1);
    return false;
}

void MapJob::wait_for(std::size_t number, const WaitLimits& limits) {
    if (is_finished(number)) return;
    std::size_t expected = number;
    if (TaskRunner::current() != nullptr && has_no_limit(limits) &&
        next_.compare_exchange_strong(expected, number + 1, std::memory_order_seq_cst)) {
        run(number);
        return;
    }
    if (number < cancelled_from_.load(std::memory_order_seq_cst)) require_generation(generation_);
    if (has_come_by_yielding(number)) return;
    // seq_cst: either finish() sees what is wanted, or this thread that it is finished.
    wanted_.store(number, std::memory_order_seq_cst);
    auto take = [this, number] {
        return is_finished(number) || number >= cancelled_from_.load(std::memory_order_seq_cst);
    };
    const WaitNotice notice(nullptr, limits);
    const WaitEnd end = waiters_.wait(take, limits);
    wanted_.store(kNone, std::memory_order_relaxed);
    if (end == WaitEnd::timed_out) {
        throw futures::TimeoutError(
            fmt::format("map: the result number {} was not there in time", number));
    }
    throw_if_stopped(end);
    if (!is_finished(number)) {
        throw futures::CancelledError(fmt::format("map: the call number {} was cancelled", number));
    }
}

}  // namespace weft::detail
