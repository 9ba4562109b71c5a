#include <weft/concurrent/futures/manual.hpp>

#include <exception>
#include <stdexcept>

#include <weft/queue/errors.hpp>

namespace weft::concurrent::futures {

ManualExecutor::~ManualExecutor() {
    shutdown({.cancel_futures = std::uncaught_exceptions() > unwinding_});
}

bool ManualExecutor::run_one() {
    Task task;
    try {
        task = tasks_.get_nowait();
    } catch (const queue::Empty&) {
        return false;
    }
    task.run();
    return true;
}

std::size_t ManualExecutor::run_all() {
    std::size_t count = 0;
    while (run_one()) ++count;
    return count;
}

void ManualExecutor::stop(ShutdownOptions options) {
    {
        threading::Guard held(lock_);
        is_shut_down_ = true;
    }
    if (options.cancel_futures) {
        for (;;) {
            try {
                tasks_.get_nowait().cancel();
            } catch (const queue::Empty&) {
                return;
            }
        }
    }
    if (options.wait) run_all();
}

void ManualExecutor::enqueue(Task task) {
    threading::Guard held(lock_);
    if (is_shut_down_) {
        throw std::runtime_error("submit: the executor was shut down, and takes no further calls");
    }
    tasks_.put(std::move(task));
}

}  // namespace weft::concurrent::futures
