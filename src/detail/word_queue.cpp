#include <weft/detail/word_queue.hpp>

#include <cassert>
#include <memory>

#include <weft/detail/passage.hpp>

namespace weft::detail {

WordQueue::~WordQueue() {
    // The producer of the last word may still be inside; it will be out in a moment.
    tail_lock_.lock();
    tail_lock_.unlock();
    {
        [[maybe_unused]] const WaitList::Locked view(waiters_);
        assert(view.is_empty() && "a queue must not be destroyed while a thread waits for an item");
    }
    Link* link = head_chunk_.load(std::memory_order_relaxed);
    while (link != nullptr) {
        Link* const next = link->next.load(std::memory_order_relaxed);
        if (link != &origin_) delete static_cast<Chunk*>(link);
        link = next;
    }
    delete static_cast<Chunk*>(spare_.load(std::memory_order_relaxed));
}

bool WordQueue::reach_next_cell(std::unique_ptr<Chunk>& fresh) noexcept {
    const std::uint64_t index = tail_.load(std::memory_order_relaxed);
    Link* last = tail_chunk_.load(std::memory_order_relaxed);
    // Another producer, or one that a fork cut off, may have done any part of this already.
    while (index == last->limit) {
        Link* next = last->next.load(std::memory_order_relaxed);
        if (next == nullptr) {
            // Acquire pairs with the release of recycle(): consumers have done with the chunk.
            if (fresh == nullptr) {
                fresh.reset(
                    static_cast<Chunk*>(spare_.exchange(nullptr, std::memory_order_acquire)));
            }
            if (fresh == nullptr) return false;
            fresh->limit = index + kCells;
            fresh->next.store(nullptr, std::memory_order_relaxed);
            next = fresh.release();
            // Release publishes the limit to consumers, who read it before the first cell.
            last->next.store(next, std::memory_order_release);
        }
        last = next;
        tail_chunk_.store(last, std::memory_order_release);
    }
    return true;
}

void WordQueue::keep_spare(std::unique_ptr<Chunk>& fresh) noexcept {
    if (fresh == nullptr) return;
    Link* none = nullptr;
    // Release pairs with the acquire of whoever takes it, possibly to free it.
    if (spare_.compare_exchange_strong(none, fresh.get(), std::memory_order_release,
                                       std::memory_order_relaxed)) {
        static_cast<void>(fresh.release());
    }
}

// Called with tail_lock_ held, and gives it back, also when it throws.
void WordQueue::push_in_next_chunk(std::uint64_t word) {
    // Destroyed after the lock was released, should it be left over: another producer may have been
    // quicker by a whole chunk.
    std::unique_ptr<Chunk> fresh;
    while (!reach_next_cell(fresh)) {
        tail_lock_.unlock();
        fresh = std::make_unique<Chunk>();
        tail_lock_.lock();
    }
    // Only now, since it allows pushes into tail_chunk_ without a further look.
    tail_limit_.store(tail_chunk_.load(std::memory_order_relaxed)->limit,
                      std::memory_order_release);
    append(word);
    keep_spare(fresh);
    unlock_after_push();
}

// Called with tail_lock_ held, and releases it.
void WordQueue::unlock_and_wake() noexcept {
    Waiter* first = nullptr;
    {
        WaitList::Locked view(waiters_);
        first = view.take_first();
        view.announce_notifier();
    }
    tail_lock_.unlock();
    if (first != nullptr) first->notify();
}

bool WordQueue::take_slowly(Taken& taken, Link*& used_up) noexcept {
    if (Returned* const first = returned_.load(std::memory_order_relaxed); first != nullptr) {
        taken = *first;
        returned_.store(first->next_returned.load(std::memory_order_relaxed),
                        std::memory_order_release);
        return true;
    }
    const std::uint64_t index = head_.load(std::memory_order_relaxed);
    // Acquire pairs with the release of the producers: the cells before tail, and the chunks that
    // hold them, are written.
    const std::uint64_t tail = tail_.load(std::memory_order_seq_cst);
    if (tail == index) return false;
    Link* chunk = head_chunk_.load(std::memory_order_relaxed);
    if (index == chunk->limit) {
        if (chunk != &origin_) used_up = chunk;
        chunk = chunk->next.load(std::memory_order_acquire);
        head_chunk_.store(chunk, std::memory_order_release);
    }
    // Only now, since it allows pops from head_chunk_ without a further look.
    ready_.store(tail < chunk->limit ? tail : chunk->limit, std::memory_order_release);
    take_ready(taken);
    return true;
}

// Called with head_lock_ held, and gives it back.
bool WordQueue::pop_slow(Taken& taken) noexcept {
    Link* used_up = nullptr;
    const bool is_taken = take_slowly(taken, used_up);
    head_lock_.unlock();
    recycle(used_up);
    return is_taken;
}

// Producers have left a used-up chunk for the next before they published the first word there.
void WordQueue::recycle(Link* used_up) noexcept {
    if (used_up == nullptr) return;
    delete static_cast<Chunk*>(spare_.exchange(used_up, std::memory_order_acq_rel));
}

void WordQueue::insert_returned(const Taken& taken, Returned& place) noexcept {
    static_cast<Taken&>(place) = taken;
    // Several words can be out at once and come back in any order.
    Atomic<Returned*>* link = &returned_;
    Returned* next = link->load(std::memory_order_relaxed);
    while (next != nullptr && next->index < taken.index) {
        link = &next->next_returned;
        next = link->load(std::memory_order_relaxed);
    }
    place.next_returned.store(next, std::memory_order_relaxed);
    // First, so that no pop goes past the list.
    ready_.store(0, std::memory_order_release);
    link->store(&place, std::memory_order_release);
}

std::uint64_t WordQueue::count_returned() const noexcept {
    std::uint64_t count = 0;
    for (const Returned* each = returned_.load(std::memory_order_relaxed); each != nullptr;
         each = each->next_returned.load(std::memory_order_relaxed)) {
        ++count;
    }
    return count;
}

void WordQueue::give_back(const Taken& taken, Returned& place) noexcept {
    head_lock_.lock();
    insert_returned(taken, place);
    head_lock_.unlock();
    waiters_.notify_one();
}

std::size_t WordQueue::size() const noexcept {
    head_lock_.lock();
    const std::uint64_t size = tail_.load(std::memory_order_seq_cst) -
                               head_.load(std::memory_order_relaxed) + count_returned();
    head_lock_.unlock();
    return static_cast<std::size_t>(size);
}

// A pop that misses no word whose producer did not see this thread on the list of waiters: taking
// both locks orders this thread with every producer, before or after it. Called by WaitList::wait,
// whose rule this is.
bool WordQueue::try_pop_certainly(Taken& taken) noexcept {
    tail_lock_.lock();
    tail_lock_.unlock();
    return try_pop(taken);
}

bool WordQueue::pop_or_list(Taken& taken, Waiter& waiter, bool is_first) noexcept {
    const auto certain_try = [&] {
        return try_pop_certainly(taken) ? Passage::passed : Passage::blocked;
    };
    return list_or_pass(waiters_, waiter, is_first, certain_try) == Passage::passed;
}

bool WordQueue::is_certainly_empty() noexcept {
    // As in try_pop_certainly(): every producer is before or after this.
    tail_lock_.lock();
    tail_lock_.unlock();
    return is_empty();
}

WaitEnd WordQueue::pop(Taken& taken, const WaitLimits& limits) {
    auto take = [this, &taken] { return try_pop_certainly(taken); };
    return waiters_.wait(take, limits);
}

}  // namespace weft::detail
