#include <weft/concurrent/futures/executor.hpp>

namespace weft::concurrent::futures {

// Task
// ---------------------------------------------------------------------------------------------

void Task::run() {
    if (state_ == nullptr) return;
    struct Share {
        detail::FutureState& state;
        ~Share() { state.drop_task(); }
    } const share{*std::exchange(state_, nullptr)};
    share.state.run_task();
}

void Task::drop() noexcept {
    detail::FutureState* const state = std::exchange(state_, nullptr);
    state->refuse(nullptr);
    state->drop_task();
}

int Task::priority() const noexcept {
    return state_->priority();
}

std::string_view Task::name() const noexcept {
    return state_->name();
}

// Executor
// -----------------------------------------------------------------------------------------

Executor::~Executor() = default;

void Executor::submit_drivers(const std::shared_ptr<detail::MapJob>& job, std::size_t calls) {
    try {
        for (std::size_t i = 0; i < calls && job->needs_driver(); ++i)
            submit(detail::MapDriver(job));
    } catch (...) {
        job->cancel_rest();
        throw;
    }
}

}  // namespace weft::concurrent::futures

namespace weft::detail {

void FutureAccess::submit_driver(concurrent::futures::Executor& executor,
                                 const std::shared_ptr<MapJob>& job) {
    executor.submit_drivers(job, 1);
}

void FutureAccess::enqueue(concurrent::futures::Executor& executor, FutureState& task) {
    executor.enqueue(concurrent::futures::Task(task));
}

}  // namespace weft::detail
