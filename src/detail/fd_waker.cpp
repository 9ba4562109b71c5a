#include "detail/fd_waker.hpp"

#include <memory>
#include <utility>

#include <weft/detail/low_lock.hpp>

namespace weft::detail {

/// All wakers of the process, so that a child of fork() can close them. Singly linked: each change
/// is one store, so that the child finds the list whole. What is listed is open.
class FdWakers {
public:
    void add(FdWaker& waker) noexcept {
        mutex_.lock();
        waker.next_ = first_.load(std::memory_order_relaxed);
        // Release, for the sake of order alone: a fork must not find the waker listed before its
        // link is set.
        first_.store(&waker, std::memory_order_release);
        mutex_.unlock();
    }

    void remove(FdWaker& waker) noexcept {
        mutex_.lock();
        FdWaker* const first = first_.load(std::memory_order_relaxed);
        if (first == &waker) {
            first_.store(waker.next_, std::memory_order_release);
        } else {
            FdWaker* before = first;
            while (before->next_ != &waker) before = before->next_;
            before->next_ = waker.next_;
        }
        mutex_.unlock();
    }

    void close_all() noexcept {
        FdWaker* each = first_.exchange(nullptr, std::memory_order_relaxed);
        while (each != nullptr) delete std::exchange(each, each->next_);
    }

private:
    LowLock mutex_;
    Atomic<FdWaker*> first_{nullptr};
};

namespace {

constinit FdWakers wakers;

void dispose(FdWaker* waker) noexcept {
    if (waker == nullptr) return;
    wakers.remove(*waker);
    delete waker;
}

FdWaker* make() {
    auto waker = std::make_unique<FdWaker>();
    wakers.add(*waker);
    return waker.release();
}

/// Needs no destructor, so that waits of later destructors find it.
struct ThisThread {
    FdWaker* waker = nullptr;
    bool has_ended = false;
};
constinit thread_local ThisThread this_thread;

struct CloseAtEnd {
    ~CloseAtEnd() {
        this_thread.has_ended = true;
        dispose(std::exchange(this_thread.waker, nullptr));
    }
};

FdWaker* waker_of_this_thread() {
    if (this_thread.waker == nullptr) {
        static thread_local const CloseAtEnd close_at_end;
        this_thread.waker = make();
    }
    return this_thread.waker;
}

}  // namespace

FdWakerLease::FdWakerLease()
    : waker_(this_thread.has_ended ? make() : waker_of_this_thread()),
      is_own_(this_thread.has_ended) {
    // Pokes of an earlier wait, which ended before it saw them. Whoever poked has returned.
    if (waker_->is_poked()) waker_->clear();
}

FdWakerLease::~FdWakerLease() {
    if (is_own_) dispose(waker_);
}

void forget_fd_wakers_after_fork() noexcept {
    this_thread.waker = nullptr;
    wakers.close_all();
}

}  // namespace weft::detail
