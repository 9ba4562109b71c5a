#include <weft/concurrent/futures/executor.hpp>

namespace weft::concurrent::futures {

// Task
// ---------------------------------------------------------------------------------------------

void Task::run() noexcept {
    if (state_ == nullptr) return;
    detail::FutureState* const state = std::exchange(state_, nullptr);
    state->run_task();
    state->drop_task();
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

}  // namespace weft::concurrent::futures

namespace weft::detail {

void FutureAccess::enqueue(concurrent::futures::Executor& executor, FutureState& task) {
    executor.enqueue(concurrent::futures::Task(task));
}

}  // namespace weft::detail
