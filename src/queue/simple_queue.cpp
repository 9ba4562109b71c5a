#include <weft/queue/simple_queue.hpp>

#include <stdexcept>

#include "detail/fmt.hpp"

namespace weft::queue::detail {

void throw_empty() {
    throw Empty("get: the queue is empty");
}

void check_get_timeout(Timeout timeout) {
    if (timeout.is_negative()) {
        throw std::invalid_argument(fmt::format(
            "get: the timeout is {} ns; it must not be negative", timeout.length().count()));
    }
}

weft::detail::WordQueue::Taken wait_for_word(weft::detail::WordQueue& words, Timeout timeout,
                                             const std::stop_token* stop) {
    using weft::detail::WaitEnd;
    weft::detail::WordQueue::Taken taken;
    const WaitEnd end =
        words.pop(taken, {.deadline = weft::detail::Deadline::after(timeout), .stop = stop});
    weft::detail::throw_if_stopped(end);
    if (end == WaitEnd::timed_out) {
        throw Empty(fmt::format("get: no item came within {} s",
                                static_cast<double>(timeout.length().count()) * 1e-9));
    }
    return taken;
}

}  // namespace weft::queue::detail
