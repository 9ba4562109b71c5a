#include <weft/concurrent/futures/await.hpp>

#include <new>

#include <weft/concurrent/futures/executor.hpp>

namespace weft::detail {

namespace {

class ResumeTask final : public FutureState {
public:
    explicit ResumeTask(std::coroutine_handle<> coroutine) noexcept
        : FutureState(Owner::executor), coroutine_(coroutine) {}

    [[nodiscard]] bool perform() override {
        if (!start_task()) return false;
        coroutine_.resume();
        return true;
    }
    [[nodiscard]] const std::type_info& result_type() const noexcept override {
        return typeid(void);
    }

private:
    /// When it is cancelled or refused.
    void drop_call() noexcept override { coroutine_.resume(); }
    void destroy() noexcept override { delete this; }

    std::coroutine_handle<> coroutine_;
};

}  // namespace

bool resume_on(concurrent::futures::Executor& executor,
               std::coroutine_handle<> coroutine) noexcept {
    auto* const task = new (std::nothrow) ResumeTask(coroutine);
    if (task == nullptr) return false;
    try {
        FutureAccess::enqueue(executor, *task);
    } catch (...) {
        // Dropping the task has gone on with the coroutine.
    }
    task->drop_handle();
    return true;
}

}  // namespace weft::detail
