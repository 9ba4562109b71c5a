#include "concurrent/futures/thread_pool.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include <weft/concurrent/futures/errors.hpp>
#include <weft/detail/task_observer.hpp>
#include <weft/unraisable.hpp>

#include "concurrent/futures/live_pools.hpp"
#include "concurrent/futures/pool_worker.hpp"
#include "detail/fmt.hpp"
#include "os/cpu.hpp"
#include "os/cpu_quota.hpp"
#include "threading/thread_access.hpp"

namespace weft::concurrent::futures {

namespace {

std::string next_prefix() {
    static constinit detail::Atomic<std::uint64_t> pools{0};
    return fmt::format("ThreadPoolExecutor-{}", pools.fetch_add(1, std::memory_order_relaxed));
}

std::uint64_t require_workers(int given) {
    if (given >= 1) return static_cast<std::uint64_t>(given);
    throw std::invalid_argument(fmt::format("max_workers is {}; it must be greater than 0", given));
}

std::uint64_t workers_in(const ThreadPoolOptions& options) {
    if (options.max_pending == std::size_t{0}) {
        throw std::invalid_argument(
            "max_pending is 0; at least 1 call must be allowed to wait, or leave it out");
    }
    if (options.idle_timeout.is_negative() || options.ageing.is_negative()) {
        throw std::invalid_argument("idle_timeout and ageing must not be negative");
    }
    if (options.max_workers) return require_workers(*options.max_workers);
    int cpus = os::usable_cpus();
    if (const int quota = os::cpu_quota(); quota != 0) cpus = (std::min)(cpus, quota);
    return static_cast<std::uint64_t>((std::min)(32, cpus + 4));
}

std::uint64_t word_of(detail::FutureState& task) noexcept {
    return reinterpret_cast<std::uintptr_t>(&task);
}

detail::FutureState& task_in(const detail::WordQueue::Taken& taken) noexcept {
    return *reinterpret_cast<detail::FutureState*>(static_cast<std::uintptr_t>(taken.word));
}

}  // namespace

ThreadPool::ThreadPool(ThreadPoolOptions options)
    : options_(std::move(options)),
      prefix_(options_.thread_name_prefix.empty() ? next_prefix() : options_.thread_name_prefix),
      generation_(detail::fork_generation.load(std::memory_order_relaxed)),
      ranked_(options_.ageing),
      limit_(workers_in(options_)) {
    enlist(*this);
}

ThreadPool::~ThreadPool() {
    delist(*this);
    // What was taken back while the last worker left.
    refuse_queued(nullptr);
    PoolWorker* each = workers_.load(std::memory_order_acquire);
    while (each != nullptr) {
        const std::unique_ptr<PoolWorker> worker(each);
        each = worker->next;
    }
}

// Submitting
// ---------------------------------------------------------------------------------------

std::exception_ptr ThreadPool::refusal() const {
    if (is_broken_.load(std::memory_order_seq_cst)) {
        return std::make_exception_ptr(thread::BrokenThreadPool(
            "a worker's initializer has failed; the thread pool is not usable any more"));
    }
    return std::make_exception_ptr(std::runtime_error(
        is_finished ? "submit: the program is ending, and its executors take no further calls"
                    : "submit: the executor was shut down, and takes no further calls"));
}

void ThreadPool::require_open() const {
    if (!is_of_this_process()) {
        throw std::runtime_error(
            "submit: the pool was made before this process was forked, and its threads are in the "
            "parent; make a pool of the child's own");
    }
    // seq_cst: this one is only to be early; the look after the push decides.
    if (is_closed_.load(std::memory_order_seq_cst) || is_broken_.load(std::memory_order_seq_cst)) {
        std::rethrow_exception(refusal());
    }
}

PoolWorker* ThreadPool::this_worker() const noexcept {
    detail::TaskRunner* const runner = detail::TaskRunner::current();
    // Only workers of pools are runners.
    auto* const worker = static_cast<PoolWorker*>(runner);
    return worker != nullptr && &worker->pool() == this ? worker : nullptr;
}

bool ThreadPool::try_reserve() {
    require_open();
    if (!options_.max_pending) return true;
    std::size_t seen = pending_.load(std::memory_order_seq_cst);
    while (seen < *options_.max_pending) {
        if (pending_.compare_exchange_weak(seen, seen + 1, std::memory_order_seq_cst)) return true;
    }
    return false;
}

void ThreadPool::release_reservation() noexcept {
    if (!options_.max_pending) return;
    pending_.fetch_sub(1, std::memory_order_seq_cst);
    room_.notify_one();
}

/// Waits for a place. A worker of this pool does not: the place might have to be made by itself.
void ThreadPool::reserve() {
    if (this_worker() != nullptr) {
        require_open();
        pending_.fetch_add(1, std::memory_order_seq_cst);
        return;
    }
    if (try_reserve()) return;
    const detail::WaitLimits limits{};
    const detail::WaitNotice notice(nullptr, limits);
    auto take = [this] { return try_reserve(); };
    detail::throw_if_stopped(room_.wait(take, limits));
}

void ThreadPool::submit(Task task) {
    require_open();
    if (options_.max_pending) reserve();
    submit_reserved(std::move(task));
}

void ThreadPool::submit_reserved(Task task) {
    detail::FutureState& state = *task.release_state();
    state.home = this;
    state.set_generation(generation_);
    // Acquire, here and below: the observer is made.
    if (auto* const observer = detail::task_observer.load(std::memory_order_acquire)) [[unlikely]] {
        observer->submitted(state, this);
    }
    try {
        queue(state);
    } catch (...) {
        release_reservation();
        state.refuse(nullptr);
        state.drop_task();
        throw;
    }
    // seq_cst: a worker that leaves because the pool is closed, and shut_down() before it returns,
    // look at the queues after they have seen that. So either they find the task, or this thread
    // sees that the pool is closed, and takes it back. It stays in its queue, as a cancelled one.
    if (is_closed_.load(std::memory_order_seq_cst) || is_broken_.load(std::memory_order_seq_cst)) {
        if (state.cancel()) std::rethrow_exception(refusal());
        return;  // begun already
    }
    const std::exception_ptr no_worker = employ();
    if (no_worker == nullptr) return;
    const bool is_taken_back = state.cancel();
    // Another submit may have counted on the worker that could not be started here.
    refuse_queued(no_worker);
    if (is_taken_back) std::rethrow_exception(no_worker);
}

void ThreadPool::queue(detail::FutureState& task) {
    if (task.priority() != 0) {
        ranked_.push(task);
        return;
    }
    PoolWorker* const worker = this_worker();
    if (worker != nullptr && limit_.load(std::memory_order_relaxed) > 1) {
        worker->deque().push(&task);
    } else if (ranked_.is_used()) {
        ranked_.push(task);
    } else {
        injected_.push(word_of(task));
    }
}

// Finding work
// -------------------------------------------------------------------------------------

detail::FutureState* ThreadPool::take_urgent() noexcept {
    return ranked_.is_empty() ? nullptr : ranked_.pop_if_urgent();
}

detail::FutureState* ThreadPool::take_shared(bool certainly) noexcept {
    if (!ranked_.is_empty()) {
        if (detail::FutureState* const task = ranked_.pop_if_before_others()) return task;
    }
    detail::WordQueue::Taken taken;
    if (certainly ? injected_.try_pop_certainly(taken)
                  : !injected_.is_empty() && injected_.try_pop(taken)) {
        return &task_in(taken);
    }
    return ranked_.is_empty() ? nullptr : ranked_.pop();
}

detail::FutureState* ThreadPool::steal_for(const PoolWorker& me) noexcept {
    PoolWorker* const first = workers_.load(std::memory_order_acquire);
    // All others, beginning after itself, so that thieves spread over their victims.
    PoolWorker* each = me.next != nullptr ? me.next : first;
    while (each != &me) {
        // A thief that was too late has been beaten by another: there may be more.
        while (!each->deque().is_empty()) {
            if (detail::FutureState* const task = each->deque().steal()) return task;
        }
        each = each->next != nullptr ? each->next : first;
    }
    return nullptr;
}

bool ThreadPool::has_queued_work() noexcept {
    if (!ranked_.is_empty() || !injected_.is_certainly_empty()) return true;
    for (PoolWorker* each = workers_.load(std::memory_order_acquire); each != nullptr;
         each = each->next) {
        if (!each->deque().is_empty()) return true;
    }
    return false;
}

void ThreadPool::note_taken() noexcept {
    release_reservation();
}

// Workers
// ------------------------------------------------------------------------------------------

bool ThreadPool::may_grow(std::uint64_t counts) const noexcept {
    const std::uint64_t limit = limit_.load(std::memory_order_seq_cst);
    return active_in(counts) < limit &&
           active_in(counts) + blocked_in(counts) < limit + kMaxBlocked;
}

std::exception_ptr ThreadPool::employ() noexcept {
    // seq_cst, as the load of counts_: partners of the announcements in PoolWorker.
    if (idle_.notify(1) != 0) return nullptr;
    std::uint64_t seen = counts_.load(std::memory_order_seq_cst);
    do {
        if (!may_grow(seen)) return nullptr;
    } while (!counts_.compare_exchange_weak(seen, seen + kOneActive, std::memory_order_seq_cst));
    return start_worker();
}

void ThreadPool::employ_if_needed() noexcept {
    if (!has_queued_work()) return;
    if (const std::exception_ptr no_worker = employ()) refuse_queued(no_worker);
}

std::exception_ptr ThreadPool::start_worker() noexcept {
    PoolWorker* worker = nullptr;
    try {
        worker = &claim_worker();
        const std::uint64_t number = names_.fetch_add(1, std::memory_order_relaxed);
        threading::Thread thread({.name = fmt::format("{}_{}", prefix_, number), .daemon = false},
                                 [pool = shared_from_this(), worker] { worker->main(); });
        {
            threading::Guard held(lock_);
            worker->thread = thread;
        }
        thread.start();
        return nullptr;
    } catch (...) {
        const std::exception_ptr error = std::current_exception();
        if (worker != nullptr) {
            std::optional<threading::Thread> dropped;
            threading::Guard held(lock_);
            dropped.swap(worker->thread);
            worker->release();
        }
        const std::uint64_t before = counts_.fetch_sub(kOneActive, std::memory_order_seq_cst);
        changes_.notify_all();
        // The other active ones will come to what is queued. Not those that are blocked: they may
        // be waiting for just that.
        return active_in(before) == 1 ? error : nullptr;
    }
}

PoolWorker& ThreadPool::claim_worker() {
    for (PoolWorker* each = workers_.load(std::memory_order_acquire); each != nullptr;
         each = each->next) {
        if (each->claim()) return *each;
    }
    auto* const worker = new PoolWorker(*this);
    worker->next = workers_.load(std::memory_order_relaxed);
    // Release: who sees it sees it whole.
    while (!workers_.compare_exchange_weak(worker->next, worker, std::memory_order_acq_rel,
                                           std::memory_order_relaxed)) {
    }
    return *worker;
}

bool ThreadPool::take_surplus() noexcept {
    std::uint64_t seen = counts_.load(std::memory_order_relaxed);
    while (active_in(seen) > limit_.load(std::memory_order_relaxed)) {
        if (counts_.compare_exchange_weak(seen, seen - kOneActive, std::memory_order_seq_cst)) {
            return true;
        }
    }
    return false;
}

void ThreadPool::block() noexcept {
    counts_.fetch_add(kOneBlocked - kOneActive, std::memory_order_seq_cst);
    employ_if_needed();
}

void ThreadPool::break_by(const std::exception_ptr& error) noexcept {
    detail::report_unraisable({error, "Exception in initializer of a ThreadPoolExecutor", {}});
    is_broken_.store(true, std::memory_order_seq_cst);
    room_.notify_all();
    refuse_queued(refusal());
}

void ThreadPool::resize(int max_workers) {
    limit_.store(require_workers(max_workers), std::memory_order_seq_cst);
    if (!is_of_this_process()) return;
    // Those who are too many see so when they wake.
    idle_.notify_all();
    const std::size_t active = active_in(counts_.load(std::memory_order_seq_cst));
    for (std::size_t more = active; more < limit() && has_queued_work(); ++more) {
        if (const std::exception_ptr no_worker = employ()) return refuse_queued(no_worker);
    }
}

// The end
// ------------------------------------------------------------------------------------------

void ThreadPool::close() noexcept {
    is_closed_.store(true, std::memory_order_seq_cst);
    idle_.notify_all();
    room_.notify_all();
}

void ThreadPool::refuse_queued(const std::exception_ptr& error) noexcept {
    for (;;) {
        detail::WordQueue::Taken taken;
        detail::FutureState* task = nullptr;
        if (!ranked_.is_empty()) task = ranked_.pop();
        if (task == nullptr && injected_.try_pop(taken)) task = &task_in(taken);
        for (PoolWorker* each = workers_.load(std::memory_order_acquire);
             task == nullptr && each != nullptr; each = each->next) {
            while (task == nullptr && !each->deque().is_empty()) task = each->deque().steal();
        }
        if (task == nullptr) return;
        note_taken();
        task->refuse(error);
        task->drop_task();
    }
}

void ThreadPool::wait_for_workers(bool is_interruptible) {
    const detail::WaitLimits limits{.is_interruptible = is_interruptible};
    const detail::WaitNotice notice(nullptr, limits);
    auto are_gone = [this] { return counts_.load(std::memory_order_seq_cst) == 0; };
    do {
        detail::throw_if_stopped(changes_.wait(are_gone, limits));
        // A worker that left for lack of work may have done so just before some came.
        employ_if_needed();
    } while (!are_gone());
}

void ThreadPool::join_threads(bool is_interruptible) {
    for (PoolWorker* each = workers_.load(std::memory_order_acquire); each != nullptr;
         each = each->next) {
        std::optional<threading::Thread> thread;
        {
            threading::Guard held(lock_);
            thread = each->thread;
        }
        if (thread.has_value() && thread->ident().has_value()) {
            detail::throw_if_stopped(
                detail::ThreadAccess::state(*thread).join({.is_interruptible = is_interruptible}));
        }
    }
}

void ThreadPool::shut_down(ShutdownOptions options, bool is_interruptible) {
    if (!is_of_this_process()) {
        is_closed_.store(true, std::memory_order_seq_cst);
        return;
    }
    if (options.cancel_futures) is_cancelling_.store(true, std::memory_order_seq_cst);
    close();
    if (options.cancel_futures) refuse_queued(nullptr);
    // One of the pool's own calls would wait for itself.
    if (!options.wait || this_worker() != nullptr) return;
    wait_for_workers(is_interruptible);
    join_threads(is_interruptible);
}

void ThreadPool::finish_everything() noexcept {
    close();
    // The worker that ends the program never comes back; the others do without it.
    if (this_worker() != nullptr) {
        counts_.fetch_sub(kOneActive, std::memory_order_seq_cst);
        employ_if_needed();
        detail::TaskRunner::set_current(nullptr);
    }
    wait_for_workers(false);
}

ThreadPoolStats ThreadPool::stats() const {
    ThreadPoolStats stats;
    for (PoolWorker* each = workers_.load(std::memory_order_acquire); each != nullptr;
         each = each->next) {
        const PoolWorker::State state = each->state();
        stats.workers += state != PoolWorker::State::gone ? 1 : 0;
        stats.idle += state == PoolWorker::State::idle ? 1 : 0;
        stats.blocked += state == PoolWorker::State::blocked ? 1 : 0;
        stats.queued += each->deque().size();
        stats.completed += each->completed();
    }
    stats.queued += injected_.size() + ranked_.size();
    return stats;
}

}  // namespace weft::concurrent::futures
