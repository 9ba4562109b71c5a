#include "concurrent/futures/deadlock.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

#include <weft/concurrent/futures/errors.hpp>
#include <weft/detail/low_lock.hpp>

#include "detail/fmt.hpp"

// A thread that waits for a future, without limit and without a stop token, waits for whoever is in
// that future's call. So from each blocked thread one arrow leads to at most one other, and whoever
// lists itself follows the arrows: if they lead to a task of its own, none of the threads on the
// way can ever go on, since a call that has begun is ended by its own thread alone. The arrows
// stand still while the lock is held, but for a thread that has just been woken: its future is
// done, and the way ends there. Threads with another way out are not listed, so nobody is accused
// who might go on; and the last arrow of a circle is drawn by a thread that finds all others there.

namespace weft::concurrent::futures {

namespace {

constinit detail::LowLock mutex;
constinit BlockedThread* first = nullptr;        // guarded by mutex
constinit std::uint32_t generation_of_list = 0;  // the process that the list belongs to

/// Holds the lock. In a child of fork() the threads that were listed are in the parent.
class Held {
public:
    Held() noexcept {
        mutex.lock();
        const std::uint32_t now = detail::fork_generation.load(std::memory_order_relaxed);
        if (generation_of_list == now) return;
        generation_of_list = now;
        first = nullptr;
    }
    ~Held() { mutex.unlock(); }
    Held(const Held&) = delete;
    Held& operator=(const Held&) = delete;
};

std::string name_of(const detail::FutureState& task) {
    return task.name().empty() ? fmt::format("the task at {}", static_cast<const void*>(&task))
                               : fmt::format("the task '{}'", task.name());
}

/// The futures on the way round, with a share of each.
class Circle {
public:
    Circle() noexcept = default;
    ~Circle() {
        for (std::size_t i = 0; i < kept(); ++i) tasks_[i]->drop_handle();
    }
    Circle(const Circle&) = delete;
    Circle& operator=(const Circle&) = delete;

    void add(detail::FutureState& task) noexcept {
        if (size_ < tasks_.size()) {
            task.add_handle();
            tasks_[size_] = &task;
        }
        ++size_;
    }
    [[nodiscard]] std::string text(const detail::FutureState& mine) const {
        std::string text = fmt::format("a wait that would never end: {} waits", name_of(mine));
        for (std::size_t i = 0; i < kept(); ++i) {
            text += (i == 0 ? " for " : ", which waits for ") + name_of(*tasks_[i]);
        }
        if (size_ > kept()) text += fmt::format(", and so on over {} tasks", size_);
        return text;
    }

private:
    [[nodiscard]] std::size_t kept() const noexcept {
        return size_ < tasks_.size() ? size_ : tasks_.size();
    }

    std::array<detail::FutureState*, 8> tasks_ = {};
    std::size_t size_ = 0;
};

}  // namespace

bool BlockedThread::is_in(const detail::FutureState& task) const noexcept {
    for (const RunningTask* each = tasks_; each != nullptr; each = each->outer) {
        if (each->task == &task) return true;
    }
    return false;
}

const BlockedThread* BlockedThread::who_is_in(const detail::FutureState& task) noexcept {
    for (const BlockedThread* each = first; each != nullptr; each = each->next_) {
        if (each->is_in(task)) return each;
    }
    return nullptr;
}

void BlockedThread::list() noexcept {
    next_ = first;
    if (first != nullptr) first->previous_ = this;
    first = this;
}

BlockedThread::BlockedThread(const RunningTask* tasks, detail::FutureState& future)
    : tasks_(tasks), future_(future) {
    // Declared before the lock, so that the shares are dropped, and tasks destroyed, without it.
    Circle circle;
    {
        const Held held;
        bool is_circle = false;
        for (detail::FutureState* wanted = &future; !wanted->is_done();) {
            is_circle = is_in(*wanted);
            if (is_circle) break;
            const BlockedThread* const next = who_is_in(*wanted);
            if (next == nullptr) break;
            wanted = &next->future_;
        }
        if (!is_circle) {
            list();
            return;
        }
        // Once more, to remember who is on the way.
        for (detail::FutureState* wanted = &future;;) {
            circle.add(*wanted);
            if (is_in(*wanted)) break;
            wanted = &who_is_in(*wanted)->future_;
        }
    }
    // The others stay where they are until this exception has ended the task that they wait for.
    throw DeadlockError(circle.text(*tasks_->task));
}

BlockedThread::~BlockedThread() {
    const Held held;
    if (previous_ == nullptr && first != this) return;  // listed before a fork
    (previous_ != nullptr ? previous_->next_ : first) = next_;
    if (next_ != nullptr) next_->previous_ = previous_;
}

}  // namespace weft::concurrent::futures
