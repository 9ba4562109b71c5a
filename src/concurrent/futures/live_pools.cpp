#include "concurrent/futures/live_pools.hpp"

#include <memory>

#include <weft/detail/future_state.hpp>
#include <weft/detail/low_lock.hpp>

#include "concurrent/futures/thread_pool.hpp"
#include "runtime/exit.hpp"

namespace weft::concurrent::futures {

namespace {

constinit detail::LowLock mutex;
constinit ThreadPool* first = nullptr;           // guarded by mutex
constinit std::uint32_t generation_of_list = 0;  // the process that the list belongs to
/// What the processes before this one had listed, kept so that it is not taken for a leak.
constinit ThreadPool* abandoned = nullptr;

class Held {
public:
    Held() noexcept {
        mutex.lock();
        const std::uint32_t now = detail::fork_generation.load(std::memory_order_relaxed);
        if (generation_of_list == now) return;
        generation_of_list = now;
        if (first != nullptr) abandoned = first;
        first = nullptr;
    }
    ~Held() { mutex.unlock(); }
    Held(const Held&) = delete;
    Held& operator=(const Held&) = delete;
};

/// A pool that is still to be finished; null for none.
std::shared_ptr<ThreadPool> next_to_finish() noexcept {
    const Held held;
    for (ThreadPool* each = first; each != nullptr; each = each->next_pool) {
        if (each->is_finished) continue;
        each->is_finished = true;
        // Null if it is just being destroyed, and so has no workers.
        if (auto pool = each->weak_from_this().lock()) return pool;
    }
    return nullptr;
}

void finish_all() noexcept {
    // A call that ends the program never returns; who waits for it must not wait for ever.
    if (detail::TaskRunner* const runner = detail::TaskRunner::current()) runner->abandon_tasks();
    while (const auto pool = next_to_finish()) pool->finish_everything();
}

constinit runtime::ExitHook hook{&finish_all};

}  // namespace

void enlist(ThreadPool& pool) {
    runtime::at_exit_drain(hook);
    const Held held;
    pool.next_pool = first;
    if (first != nullptr) first->previous_pool = &pool;
    first = &pool;
}

void delist(ThreadPool& pool) noexcept {
    // The list of a forked child begins anew, and its parent's pools are no longer linked rightly.
    if (!pool.is_of_this_process()) return;
    const Held held;
    if (pool.previous_pool == nullptr && first != &pool) return;
    (pool.previous_pool != nullptr ? pool.previous_pool->next_pool : first) = pool.next_pool;
    if (pool.next_pool != nullptr) pool.next_pool->previous_pool = pool.previous_pool;
}

}  // namespace weft::concurrent::futures
