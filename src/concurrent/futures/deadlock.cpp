#include "concurrent/futures/deadlock.hpp"

#include <string>

#include <fmt/format.h>

#include <weft/concurrent/futures/errors.hpp>
#include <weft/detail/low_lock.hpp>

// A thread that waits for a future, without limit and without a stop token, waits for whoever is in
// that future's call. So from each blocked thread one arrow leads to at most one other, and whoever
// lists himself follows the arrows: if they lead to a task of his own, none of the threads on the way
// can ever go on, since a call that has begun is ended by its own thread alone. The arrows stand
// still while the lock is held, but for a thread that has just been woken: its future is done, and
// the way ends there. Threads with another way out are not listed, so nobody is accused who might go
// on; and the last arrow of a circle is always drawn by a thread that finds the others there.

namespace weft::concurrent::futures {

namespace {
constinit detail::LowLock mutex;
constinit BlockedThread* first = nullptr;         // guarded by mutex
constinit std::uint32_t generation_of_list = 0;   // the fork generation that the list belongs to

/// With the lock held.
void forget_parent() noexcept {
    const std::uint32_t now = detail::fork_generation.load(std::memory_order_relaxed);
    if (generation_of_list == now) return;
    generation_of_list = now;
    first = nullptr;
}

std::string name_of(const detail::FutureState& task) {
    return task.name().empty() ? fmt::format("the task at {}", static_cast<const void*>(&task))
                               : fmt::format("the task '{}'", task.name());
}
}  // namespace

bool BlockedThread::is_in(const detail::FutureState& task) const noexcept {
    for (const RunningTask* each = tasks_; each != nullptr; each = each->outer) {
        if (each->task == &task) return true;
    }
    return false;
}

BlockedThread* BlockedThread::who_is_in(const detail::FutureState& task) noexcept {
    for (BlockedThread* each = first; each != nullptr; each = each->next_) {
        if (each->is_in(task)) return each;
    }
    return nullptr;
}

BlockedThread::BlockedThread(RunningTask* tasks, detail::FutureState& future)
    : tasks_(tasks), future_(future) {
    bool is_circle = false;
    {
        struct Held {
            Held() noexcept { mutex.lock(); }
            ~Held() { mutex.unlock(); }
        } const held;
        forget_parent();
        const detail::FutureState* wanted = &future;
        for (;;) {
            if (wanted->is_done()) break;
            if (is_in(*wanted)) {
                is_circle = true;
                break;
            }
            const BlockedThread* const next = who_is_in(*wanted);
            if (next == nullptr) break;
            wanted = &next->future_;
        }
        if (!is_circle) {
            next_ = first;
            if (first != nullptr) first->previous_ = this;
            first = this;
            return;
        }
    }
    // The others of the circle stay where they are until this thread's exception has ended its task.
    std::string circle = name_of(*tasks_->task);
    mutex.lock();
    mutex.unlock();
    throw DeadlockError(fmt::format("{} waits for {}, which waits for it", circle,
                                    name_of(future)));
}

BlockedThread::~BlockedThread() {
    mutex.lock();
    forget_parent();
    if (previous_ != nullptr || first == this) {
        (previous_ != nullptr ? previous_->next_ : first) = next_;
        if (next_ != nullptr) next_->previous_ = previous_;
    }
    mutex.unlock();
}

}  // namespace weft::concurrent::futures
