#include "detail/fd_waker.hpp"

#include <memory>
#include <utility>

#include <weft/detail/low_lock.hpp>

namespace weft::detail {

/// All wakers of the process, so that a child of fork() can close them. Singly linked: each change
/// is one store, so that the child finds the list whole. What is listed is open.
class FdWakers {
public:
    void add(FdWaker& waker, const void* owner) noexcept {
        mutex_.lock();
        waker.owner_ = owner;
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

    /// In a child of fork(), which has one thread. Closes all, and forgets those of other threads.
    void keep_only(const void* owner) noexcept {
        FdWaker* each = first_.exchange(nullptr, std::memory_order_relaxed);
        while (each != nullptr) {
            FdWaker* const next = each->next_;
            if (each->owner_ == owner) {
                each->close();
                each->next_ = first_.load(std::memory_order_relaxed);
                first_.store(each, std::memory_order_relaxed);
            } else {
                delete each;
            }
            each = next;
        }
    }

private:
    LowLock mutex_;
    Atomic<FdWaker*> first_{nullptr};
};

namespace {

constinit FdWakers wakers;

/// Needs no destructor, so that waits of later destructors find it.
struct ThisThread {
    FdWaker* waker = nullptr;
    bool has_ended = false;
};
constinit thread_local ThisThread this_thread;

void dispose(FdWaker* waker) noexcept {
    if (waker == nullptr) return;
    wakers.remove(*waker);
    delete waker;
}

FdWaker* make() {
    auto waker = std::make_unique<FdWaker>();
    wakers.add(*waker, &this_thread);
    return waker.release();
}

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
    waker_->open();
    // Pokes of an earlier wait, which ended before it saw them. Whoever poked has returned.
    if (waker_->is_poked()) waker_->clear();
}

FdWakerLease::~FdWakerLease() {
    if (is_own_) dispose(waker_);
}

void forget_fd_wakers_after_fork() noexcept {
    wakers.keep_only(&this_thread);
}

}  // namespace weft::detail
