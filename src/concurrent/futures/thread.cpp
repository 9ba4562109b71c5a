#include <weft/concurrent/futures/thread.hpp>

#include <stdexcept>
#include <utility>

#include "concurrent/futures/thread_pool.hpp"

namespace weft::concurrent::futures {

ThreadPoolExecutor::ThreadPoolExecutor(ThreadPoolOptions options)
    : pool_(std::make_shared<ThreadPool>(std::move(options))) {}

ThreadPoolExecutor::ThreadPoolExecutor(ThreadPoolExecutor&& other) noexcept
    : pool_(std::move(other.pool_)) {}

ThreadPoolExecutor& ThreadPoolExecutor::operator=(ThreadPoolExecutor&& other) noexcept {
    if (this != &other) {
        end();
        pool_ = std::move(other.pool_);
    }
    return *this;
}

ThreadPoolExecutor::~ThreadPoolExecutor() {
    end();
}

void ThreadPoolExecutor::end() noexcept {
    if (pool_ == nullptr) return;
    pool_->shut_down({.cancel_futures = std::uncaught_exceptions() > unwinding_}, false);
}

ThreadPool& ThreadPoolExecutor::pool() const {
    if (pool_ != nullptr) return *pool_;
    throw std::runtime_error("the executor was moved from, and has no pool any more");
}

void ThreadPoolExecutor::resize(int max_workers) {
    pool().resize(max_workers);
}

ThreadPoolStats ThreadPoolExecutor::stats() const {
    return pool().stats();
}

void ThreadPoolExecutor::enqueue(Task task) {
    pool().submit(std::move(task));
}

void ThreadPoolExecutor::enqueue_within(const Room& room, Task task) {
    // The task has it now, also if it is refused.
    room.is_mine_ = false;
    room.pool_.submit_reserved(std::move(task));
}

void ThreadPoolExecutor::stop(ShutdownOptions options) {
    if (pool_ != nullptr) pool_->shut_down(options, true);
}

std::size_t ThreadPoolExecutor::map_width() const noexcept {
    return pool_ != nullptr ? pool_->limit() : 0;
}

ThreadPoolExecutor::Room::Room(ThreadPoolExecutor& executor)
    : pool_(executor.pool()), is_mine_(pool_.try_reserve()) {}

ThreadPoolExecutor::Room::~Room() {
    if (is_mine_) pool_.release_reservation();
}

}  // namespace weft::concurrent::futures
