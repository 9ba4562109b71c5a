#include "concurrent/futures/pool_worker.hpp"

#include <exception>
#include <functional>
#include <utility>

#include <weft/concurrent/futures/errors.hpp>
#include <weft/detail/task_observer.hpp>
#include <weft/unraisable.hpp>

#include "os/posix/forced_unwind.hpp"
#include "os/posix/stack.hpp"
#include "runtime/stack_size.hpp"

namespace weft::concurrent::futures {

namespace {

constexpr unsigned kOutsideFirst = 64;

/// Calls a user's hook; false when it has thrown. What ends the thread passes.
bool call_hook(const std::function<void()>& hook, const char* what) {
    if (!hook) return true;
    std::exception_ptr error;
    try {
        hook();
        return true;
    } catch (const os::ForcedUnwind&) {
        throw;
    } catch (...) {
        error = std::current_exception();
    }
    detail::report_unraisable({error, what, {}});
    return false;
}

}  // namespace

/// One call: in the list of those that the thread is in, and ended also when the thread is unwound.
class PoolWorker::Frame {
public:
    Frame(PoolWorker& worker, detail::FutureState& task) noexcept
        : worker_(worker), frame_{&task, worker.tasks_} {
        worker_.tasks_ = &frame_;
    }
    ~Frame() {
        worker_.tasks_ = frame_.outer;
        if (!is_over_) frame_.task->abandon_task();
    }
    Frame(const Frame&) = delete;
    Frame& operator=(const Frame&) = delete;
    void end() noexcept { is_over_ = true; }

private:
    PoolWorker& worker_;
    RunningTask frame_;
    bool is_over_ = false;
};

// The thread
// ---------------------------------------------------------------------------------------

void PoolWorker::main() {
    struct Leave {
        PoolWorker& worker;
        ~Leave() { worker.leave(); }
    } const leave{*this};
    stack_ = os::stack_position();
    const std::size_t size = runtime::default_stack_size();
    deepest_ = size != 0 ? size / 4 : std::size_t{256} * 1024;
    set_current(this);
    if (!prepare()) return;
    while (detail::FutureState* const task = next_task()) {
        run(*task);
        // Forked in that call: the pool is the parent's.
        if (!pool_.is_of_this_process()) return;
    }
    call_hook(pool_.options_.on_worker_stop, "Exception in on_worker_stop of a ThreadPoolExecutor");
}

bool PoolWorker::prepare() {
    // A worker that ends here would be replaced by one that does the same, without end.
    struct Guard {
        ThreadPool& pool;
        bool is_over = false;
        ~Guard() {
            if (is_over) return;
            pool.break_by(std::make_exception_ptr(
                BrokenExecutor("a worker's initializer or on_worker_start has ended its thread")));
        }
    } guard{pool_};
    try {
        if (pool_.options_.initializer) pool_.options_.initializer();
    } catch (const os::ForcedUnwind&) {
        throw;
    } catch (...) {
        guard.is_over = true;
        pool_.break_by(std::current_exception());
        return false;
    }
    call_hook(pool_.options_.on_worker_start,
              "Exception in on_worker_start of a ThreadPoolExecutor");
    guard.is_over = true;
    return true;
}

void PoolWorker::leave() noexcept {
    set_current(nullptr);
    if (!pool_.is_of_this_process()) return;
    retire();
    const bool must_count = !std::exchange(is_uncounted_, false);
    release();
    // Not this worker any more: another thread may have it.
    ThreadPool& pool = pool_;
    if (must_count) pool.counts_.fetch_sub(ThreadPool::kOneActive, std::memory_order_seq_cst);
    pool.employ_if_needed();
    pool.changes_.notify_all();
}

// Finding work
// -------------------------------------------------------------------------------------

detail::FutureState* PoolWorker::find(bool certainly) noexcept {
    const bool outside_first = ++turns_ % kOutsideFirst == 0;
    detail::FutureState* task = pool_.take_urgent();
    if (task == nullptr && !outside_first) task = deque_.take();
    if (task == nullptr) task = pool_.take_shared(certainly);
    if (task == nullptr && outside_first) task = deque_.take();
    if (task == nullptr) task = pool_.steal_for(*this);
    if (task != nullptr) pool_.note_taken();
    return task;
}

detail::FutureState* PoolWorker::next_task() noexcept {
    if (pool_.take_surplus()) {
        is_uncounted_ = true;
        return nullptr;
    }
    // The first task after a rest: others may have to be woken too. Not the first of a new thread:
    // whoever queued the next one starts the next thread, and there would be one too many.
    bool is_first = waiter_.has_value();
    detail::FutureState* task = find(false);
    while (task == nullptr) {
        is_first = true;
        announce();
        // Before the look: what is submitted afterwards is taken back by whoever submits it.
        const bool is_last = pool_.is_closed_.load(std::memory_order_seq_cst);
        task = find(true);
        if (task != nullptr) break;
        if (is_last) return nullptr;
        if (!sleep() && may_go_for_good()) return nullptr;
        if (pool_.take_surplus()) {
            is_uncounted_ = true;
            return nullptr;
        }
        task = find(false);
    }
    if (is_first) {
        retire();
        pool_.employ_if_needed();
    }
    return task;
}

/// False when nobody needed this worker for as long as it was to wait.
bool PoolWorker::sleep() noexcept {
    set_state(State::idle);
    detail::WaitLimits limits;
    limits.is_interruptible = false;
    limits.deadline = detail::Deadline::after(pool_.options_.idle_timeout);
    const bool is_woken =
        waiter_->spin_then_sleep(pool_.idle_, limits) == detail::WaitEnd::notified;
    const bool is_needed = retire() || is_woken;
    set_state(State::busy);
    return is_needed;
}

/// Uncounts the worker, unless there is work that came when nobody else could be employed for it.
bool PoolWorker::may_go_for_good() noexcept {
    pool_.counts_.fetch_sub(ThreadPool::kOneActive, std::memory_order_seq_cst);
    if (pool_.has_queued_work()) {
        pool_.counts_.fetch_add(ThreadPool::kOneActive, std::memory_order_seq_cst);
        return false;
    }
    is_uncounted_ = true;
    return true;
}

void PoolWorker::announce() noexcept {
    if (waiter_.has_value()) return;
    waiter_.emplace();
    // In front: the one that rested last has its memory still in the caches, and the others can
    // leave when their time is up.
    detail::WaitList::Locked(pool_.idle_).prepend(*waiter_);
}

bool PoolWorker::retire() noexcept {
    if (!waiter_.has_value()) return false;
    const bool was_listed = pool_.idle_.remove(*waiter_);
    waiter_.reset();
    return !was_listed;
}

// Running
// ------------------------------------------------------------------------------------------

void PoolWorker::run(detail::FutureState& task) {
    struct Share {
        detail::FutureState& task;
        ~Share() { task.drop_task(); }
    } const share{task};
    perform(task);
}

void PoolWorker::perform(detail::FutureState& task) {
    bool is_performed = false;
    {
        Frame frame(*this, task);
        auto* const observer = detail::task_observer.load(std::memory_order_acquire);
        if (observer != nullptr) [[unlikely]]
            observer->begun(task, &pool_);
        is_performed = task.perform();
        if (observer != nullptr) [[unlikely]]
            observer->ended(task, &pool_, is_performed);
        frame.end();
    }
    if (is_performed) {
        // Whoever sees the outcome may submit again, and should find this worker idle; not when
        // nobody has a handle, since then the outcome is destroyed here.
        if (tasks_ == nullptr && task.has_handles() && deque_.is_empty() &&
            pool_.injected_.is_empty() && pool_.ranked_.is_empty()) {
            announce();
        }
        completed_.store(completed_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
        task.publish();
    }
}

// Waiting
// ------------------------------------------------------------------------------------------

bool PoolWorker::is_deep() const noexcept {
    // Stacks grow down; were it the other way round, this would be a large number: deep.
    return static_cast<std::size_t>(stack_ - os::stack_position()) > deepest_;
}

void PoolWorker::before_wait(detail::FutureState* future, const detail::WaitLimits& limits) {
    if (!pool_.is_of_this_process()) return;
    before_listeners();
    const bool is_endless = future != nullptr && detail::has_no_limit(limits);
    if (is_endless && future->home == &pool_ && !is_deep()) {
        if (deque_.take_if(future)) {
            pool_.note_taken();
            run(*future);
        } else {
            // Its place in a queue is left to whoever comes there.
            perform(*future);
        }
        if (future->is_done()) return;
    }
    if (limits.deadline.has_passed()) return;
    if (is_endless && tasks_ != nullptr) blocked_thread_.emplace(tasks_, *future);
    is_blocked_ = true;
    set_state(State::blocked);
    if (auto* const observer = detail::task_observer.load(std::memory_order_acquire)) [[unlikely]] {
        observer->blocked(&pool_);
    }
    pool_.block();
}

void PoolWorker::after_wait() noexcept {
    if (!is_blocked_) return;
    is_blocked_ = false;
    set_state(State::busy);
    blocked_thread_.reset();
    // Forked by a signal handler in that wait: the pool is the parent's.
    if (pool_.is_of_this_process()) pool_.unblock();
    if (auto* const observer = detail::task_observer.load(std::memory_order_acquire)) [[unlikely]] {
        observer->unblocked(&pool_);
    }
}

void PoolWorker::before_listeners() noexcept {
    if (waiter_.has_value()) {
        retire();
        pool_.employ_if_needed();
    }
}

bool PoolWorker::is_cancelling() const noexcept {
    return pool_.is_cancelling_.load(std::memory_order_relaxed);
}

void PoolWorker::abandon_tasks() noexcept {
    const auto error = std::make_exception_ptr(
        BrokenExecutor("the call has ended the program, and will not return"));
    for (const RunningTask* each = tasks_; each != nullptr; each = each->outer) {
        // Not what it captured, which the frames below refer to.
        if (!each->task->is_done()) each->task->fail(error);
    }
    tasks_ = nullptr;
}

}  // namespace weft::concurrent::futures
