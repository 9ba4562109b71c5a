#include <weft/concurrent/futures/await.hpp>

#include <exception>
#include <new>
#include <thread>
#include <utility>

#include <weft/concurrent/futures/executor.hpp>
#include <weft/unraisable.hpp>

#include "os/posix/forced_unwind.hpp"

namespace weft::detail {

/// The coroutine is taken once: by the executor's thread that goes on with it, by whoever cancels
/// the task, by the thread that is just handing the task over, or by the awaiter that dies with it.
class ResumeTask final : public FutureState {
public:
    explicit ResumeTask(std::coroutine_handle<> coroutine) noexcept
        : FutureState(Owner::executor), coroutine_(coroutine.address()) {}

    /// Null if somebody has taken it.
    [[nodiscard]] std::coroutine_handle<> take_coroutine() noexcept {
        return std::coroutine_handle<>::from_address(
            coroutine_.exchange(nullptr, std::memory_order_acq_rel));
    }

    [[nodiscard]] bool perform() override {
        if (!start_task()) return false;
        try {
            resume();
        } catch (const os::ForcedUnwind&) {
            throw;
        } catch (...) {
            keep_error(std::current_exception());
        }
        return true;
    }
    [[nodiscard]] const std::type_info& result_type() const noexcept override {
        return typeid(void);
    }

    /// While a task is handed over, the same thread does not go on with it inside of that: it may
    /// be unwinding, and a coroutine that awaits again would nest without end.
    void begin_handing_over() noexcept {
        submitter_.store(std::this_thread::get_id(), std::memory_order_relaxed);
    }
    /// The coroutine, for the caller to go on with, if the task was dropped meanwhile by this
    /// thread.
    [[nodiscard]] std::coroutine_handle<> end_handing_over() noexcept {
        submitter_.store(std::thread::id(), std::memory_order_relaxed);
        return is_dropped_here_ ? take_coroutine() : nullptr;
    }

private:
    void resume() {
        if (const std::coroutine_handle<> coroutine = take_coroutine()) coroutine.resume();
    }
    /// When it is cancelled or refused.
    void drop_call() noexcept override {
        // Relaxed: a thread's own id is only ever written by itself.
        if (submitter_.load(std::memory_order_relaxed) == std::this_thread::get_id()) {
            is_dropped_here_ = true;
            return;
        }
        try {
            resume();
        } catch (...) {
            report_unraisable(
                {std::current_exception(), "Exception in a coroutine that awaited a future", {}});
        }
    }
    void destroy() noexcept override { delete this; }

    Atomic<void*> coroutine_;
    Atomic<std::thread::id> submitter_{};
    bool is_dropped_here_ = false;  ///< the submitter's own
};

bool resume_on(concurrent::futures::Executor& executor, std::coroutine_handle<> coroutine,
               ResumeTask*& task) noexcept {
    auto* const made = new (std::nothrow) ResumeTask(coroutine);
    if (made == nullptr) return false;
    // The awaiter's handle is the first; this thread's own is for after the coroutine went on.
    made->add_handle();
    task = made;
    made->begin_handing_over();
    try {
        FutureAccess::enqueue(executor, *made);
    } catch (...) {
        // Dropping the task has left the coroutine to this thread.
    }
    const bool is_refused = made->end_handing_over() != nullptr;
    made->drop_handle();
    return !is_refused;
}

void forget(ResumeTask& task) noexcept {
    static_cast<void>(task.take_coroutine());
    task.drop_handle();
}

}  // namespace weft::detail
