#include <weft/detail/word_queue.hpp>

#include <cassert>
#include <memory>

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

// Called with tail_lock_ held, which is released only if this throws.
void WordQueue::append_in_next_chunk(std::uint64_t word) {
    const auto index_of_next = [this] { return tail_.load(std::memory_order_relaxed); };
    std::unique_ptr<Chunk> fresh;
    Link* last = tail_chunk_.load(std::memory_order_relaxed);
    // Another producer, or one that a fork cut off, may have done any part of this already.
    while (index_of_next() == last->limit) {
        Link* next = last->next.load(std::memory_order_relaxed);
        if (next == nullptr) {
            // Acquire pairs with the release of recycle(): consumers have done with the chunk.
            if (fresh == nullptr) {
                fresh.reset(
                    static_cast<Chunk*>(spare_.exchange(nullptr, std::memory_order_acquire)));
            }
            if (fresh == nullptr) {
                tail_lock_.unlock();
                fresh = std::make_unique<Chunk>();
                tail_lock_.lock();
                last = tail_chunk_.load(std::memory_order_relaxed);
                continue;
            }
            fresh->limit = index_of_next() + kCells;
            fresh->next.store(nullptr, std::memory_order_relaxed);
            next = fresh.release();
            // Release publishes the limit to consumers, who read it before the first cell.
            last->next.store(next, std::memory_order_release);
        }
        last = next;
        tail_chunk_.store(last, std::memory_order_release);
    }
    // Only now, since it allows pushes into tail_chunk_ without a further look.
    tail_limit_.store(last->limit, std::memory_order_release);
    const std::uint64_t index = index_of_next();
    static_cast<Chunk*>(last)->cells[index % kCells] = word;
    tail_.store(index + 1, std::memory_order_release);
    // `fresh` is still there when another producer was quicker by a whole chunk: never mind.
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

// Called with head_lock_ held, and gives it back.
bool WordQueue::pop_slow(std::uint64_t& word) noexcept {
    if (Returned* const first = returned_.load(std::memory_order_relaxed); first != nullptr) {
        word = first->word;
        returned_.store(first->next_returned, std::memory_order_release);
        head_lock_.unlock();
        return true;
    }
    const std::uint64_t index = head_.load(std::memory_order_relaxed);
    // Acquire pairs with the release of the producers: the cells before tail, and the chunks that
    // hold them, are written.
    const std::uint64_t tail = tail_.load(std::memory_order_seq_cst);
    if (tail == index) {
        head_lock_.unlock();
        return false;
    }
    Link* chunk = head_chunk_.load(std::memory_order_relaxed);
    Link* used_up = nullptr;
    if (index == chunk->limit) {
        used_up = chunk;
        chunk = chunk->next.load(std::memory_order_acquire);
        head_chunk_.store(chunk, std::memory_order_release);
    }
    // Only now, since it allows pops from head_chunk_ without a further look.
    ready_.store(tail < chunk->limit ? tail : chunk->limit, std::memory_order_release);
    word = static_cast<Chunk*>(chunk)->cells[index % kCells];
    head_.store(index + 1, std::memory_order_release);
    head_lock_.unlock();
    // Producers have left this chunk for the next before they published what was just taken.
    if (used_up != nullptr && used_up != &origin_) recycle(used_up);
    return true;
}

void WordQueue::recycle(Link* link) noexcept {
    delete static_cast<Chunk*>(spare_.exchange(link, std::memory_order_acq_rel));
}

void WordQueue::give_back(std::uint64_t word, Returned& place) noexcept {
    place.word = word;
    head_lock_.lock();
    Returned* const first = returned_.load(std::memory_order_relaxed);
    place.next_returned = first;
    place.depth = first != nullptr ? first->depth + 1 : 1;
    // First, so that no pop goes past the list.
    ready_.store(0, std::memory_order_release);
    returned_.store(&place, std::memory_order_release);
    head_lock_.unlock();
    waiters_.notify_one();
}

std::size_t WordQueue::size() const noexcept {
    head_lock_.lock();
    const Returned* const first = returned_.load(std::memory_order_relaxed);
    const std::uint64_t depth = first != nullptr ? first->depth : 0;
    const std::uint64_t size =
        tail_.load(std::memory_order_seq_cst) - head_.load(std::memory_order_relaxed) + depth;
    head_lock_.unlock();
    return static_cast<std::size_t>(size);
}

// A pop that misses no word whose producer did not see this thread on the list of waiters: taking
// both locks orders this thread with every producer, before or after it. Called by WaitList::wait,
// whose rule this is.
bool WordQueue::pop_certainly(std::uint64_t& word) noexcept {
    tail_lock_.lock();
    tail_lock_.unlock();
    return try_pop(word);
}

WaitEnd WordQueue::pop(std::uint64_t& word, const WaitLimits& limits) {
    auto take = [this, &word] { return pop_certainly(word); };
    return waiters_.wait(take, limits);
}

}  // namespace weft::detail
