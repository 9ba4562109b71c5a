#include <weft/queue/queue.hpp>

#include <stdexcept>

#include <weft/errors.hpp>

#include "detail/fmt.hpp"

namespace weft::detail {

void throw_queue_cut_off() {
    throw std::runtime_error(
        "the queue cannot be used in this process: another thread was inside its storage at the "
        "fork; make a new queue");
}

}  // namespace weft::detail

namespace weft::queue::detail {

using weft::detail::Passage;
using weft::detail::WaitEnd;

namespace {

double in_seconds(Timeout timeout) {
    return static_cast<double>(timeout.length().count()) * 1e-9;
}

/// What has nothing to do with the queue.
void throw_if_stopped(Passage why) {
    if (why == Passage::cancelled) weft::detail::throw_if_stopped(WaitEnd::cancelled);
    if (why == Passage::interrupted) weft::detail::throw_if_stopped(WaitEnd::interrupted);
}

}  // namespace

void throw_put_failed(Passage why, const Patience& patience, std::int64_t maxsize) {
    throw_if_stopped(why);
    if (why == Passage::shut_down) throw ShutDown("put: the queue is shut down");
    if (!patience.may_wait) {
        throw Full(fmt::format("put: the queue is full, its bound is {}", maxsize));
    }
    throw Full(fmt::format("put: the queue, whose bound is {}, had no room within {} s", maxsize,
                           in_seconds(patience.timeout)));
}

void throw_get_failed(Passage why, const Patience& patience) {
    throw_if_stopped(why);
    if (why == Passage::shut_down) throw ShutDown("get: the queue is shut down and empty");
    if (!patience.may_wait) throw Empty("get: the queue is empty");
    throw Empty(fmt::format("get: no item came within {} s", in_seconds(patience.timeout)));
}

void throw_negative(const char* member, Timeout timeout) {
    throw std::invalid_argument(fmt::format("{}: the timeout is {} ns; it must not be negative",
                                            member, timeout.length().count()));
}

void throw_too_many_done() {
    throw std::invalid_argument(
        "task_done: every item that was put is done already; call it once for each item");
}

bool wait_for_tasks(weft::detail::TaskCount& tasks, Timeout timeout, const std::stop_token* stop) {
    const WaitEnd end =
        tasks.join({.deadline = weft::detail::Deadline::after(timeout), .stop = stop});
    weft::detail::throw_if_stopped(end);
    return end == WaitEnd::notified;
}

weft::detail::WaitLimits limits_of(const Patience& patience) noexcept {
    return {.deadline = weft::detail::Deadline::after(patience.timeout), .stop = patience.stop};
}

}  // namespace weft::queue::detail
