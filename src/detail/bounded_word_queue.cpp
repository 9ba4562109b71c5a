#include <weft/detail/bounded_word_queue.hpp>

#include <cassert>
#include <limits>
#include <memory>

namespace weft::detail {

namespace {

constexpr std::uint64_t kNoBound = (std::numeric_limits<std::uint64_t>::max)();

std::uint64_t room_beside(std::int64_t maxsize, std::uint64_t used) {
    if (maxsize <= 0) return kNoBound;
    const auto bound = static_cast<std::uint64_t>(maxsize);
    return used < bound ? bound - used : 0;
}

}  // namespace

BoundedWordQueue::~BoundedWordQueue() {
    [[maybe_unused]] const WaitList::Locked view(producers_);
    assert(view.is_empty() && "a queue must not be destroyed while a thread waits for room");
}

// Producers ---------------------------------------------------------------------------------------

// Called with tail_lock_ held: how many words may be appended; right about whether any may, and
// otherwise perhaps too few.
std::uint64_t BoundedWordQueue::room() noexcept {
    const std::int64_t maxsize = maxsize_.load(std::memory_order_relaxed);
    if (maxsize <= 0) return kNoBound;
    const std::uint64_t tail = tail_.load(std::memory_order_relaxed);
    // In this order: a word that is being taken, and may come back, is held before it leaves the
    // words after head_. So it is counted once or twice, never not at all.
    const std::uint64_t head = head_.load(std::memory_order_seq_cst);
    const std::uint64_t held = held_.load(std::memory_order_seq_cst);
    const std::uint64_t room = room_beside(maxsize, tail - head + held);
    if (room != 0 || held == 0) return room;
    // It may have been counted twice.
    head_lock_.lock();
    const std::uint64_t exact = exact_room();
    head_lock_.unlock();
    return exact;
}

// Called with both locks held.
std::uint64_t BoundedWordQueue::exact_room() noexcept {
    forget_lost();
    const std::uint64_t used = tail_.load(std::memory_order_relaxed) -
                               head_.load(std::memory_order_relaxed) +
                               held_.load(std::memory_order_relaxed);
    return room_beside(maxsize_.load(std::memory_order_relaxed), used);
}

// Called with head_lock_ held. Words that were out at a fork do not come back in the child.
void BoundedWordQueue::forget_lost() noexcept {
    const std::uint32_t current = fork_generation.load(std::memory_order_relaxed);
    if (held_generation_ == current) return;
    held_generation_ = current;
    held_.store(count_returned(), std::memory_order_relaxed);
}

// Called with head_lock_ held: whether a word that was taken so still keeps its place.
bool BoundedWordQueue::is_still_held(const Taken& taken) noexcept {
    forget_lost();
    return taken.generation == held_generation_;
}

Passage BoundedWordQueue::look_for_room() noexcept {
    tail_lock_.lock();
    const bool is_shut_down = is_shut_down_.load(std::memory_order_relaxed);
    const bool has_room = room() != 0;
    tail_lock_.unlock();
    if (is_shut_down) return Passage::shut_down;
    return has_room ? Passage::passed : Passage::blocked;
}

bool BoundedWordQueue::is_full() const noexcept {
    // The bound and the words at one moment: both locks are needed to change the bound, and this
    // one to take a word.
    head_lock_.lock();
    const std::int64_t maxsize = maxsize_.load(std::memory_order_relaxed);
    const std::uint64_t size = tail_.load(std::memory_order_seq_cst) -
                               head_.load(std::memory_order_relaxed) + count_returned();
    head_lock_.unlock();
    return room_beside(maxsize, size) == 0;
}

// Called with tail_lock_ held, and gives it back, also when it throws.
Passage BoundedWordQueue::push_slow(std::uint64_t word) {
    // Destroyed after the lock was released, should it be left over.
    std::unique_ptr<Chunk> fresh;
    for (;;) {
        if (is_shut_down_.load(std::memory_order_relaxed)) {
            tail_lock_.unlock();
            return Passage::shut_down;
        }
        const std::uint64_t places = room();
        if (places == 0) {
            keep_spare(fresh);
            tail_lock_.unlock();
            return Passage::blocked;
        }
        if (reach_next_cell(fresh)) {
            const std::uint64_t tail = tail_.load(std::memory_order_relaxed);
            const std::uint64_t cells = tail_chunk_.load(std::memory_order_relaxed)->limit - tail;
            // Only now, since it allows pushes into tail_chunk_ without a further look.
            tail_limit_.store(tail + (places < cells ? places : cells), std::memory_order_release);
            break;
        }
        tail_lock_.unlock();
        fresh = std::make_unique<Chunk>();
        tail_lock_.lock();
    }
    append(word);
    keep_spare(fresh);
    unlock_after_push();
    return Passage::passed;
}

// For a producer that is listed: misses no place whose consumer did not see it on the list, and has
// the next consumer look at the list.
Passage BoundedWordQueue::push_certainly(std::uint64_t word) {
    head_lock_.lock();
    ready_.store(0, std::memory_order_release);
    head_lock_.unlock();
    return try_push(word);
}

Passage BoundedWordQueue::push(std::uint64_t word, Returned* /*place*/, const WaitLimits& limits) {
    return wait_to_pass(
        producers_, limits, [this, word] { return try_push(word); },
        [this, word] { return push_certainly(word); });
}

Passage BoundedWordQueue::push_or_list(std::uint64_t word, Returned* /*place*/, Waiter& waiter,
                                       bool is_first) {
    return list_or_pass(producers_, waiter, is_first,
                        [this, word] { return push_certainly(word); });
}

void BoundedWordQueue::set_maxsize(std::int64_t maxsize) noexcept {
    tail_lock_.lock();
    head_lock_.lock();
    // The next push looks anew. Before the bound changes, so that in a child of a fork in between
    // no push goes past a smaller one.
    tail_limit_.store(tail_.load(std::memory_order_relaxed), std::memory_order_release);
    maxsize_.store(maxsize, std::memory_order_relaxed);
    const std::uint64_t places = exact_room();
    head_lock_.unlock();
    tail_lock_.unlock();
    // Exactly so many are woken. A consumer that frees a place later wakes one for that place. A
    // producer that is not listed yet takes tail_lock_ after that, and sees the new bound.
    producers_.notify(static_cast<std::size_t>(places));
}

// Consumers ---------------------------------------------------------------------------------------

// Called with head_lock_ held and a place free, and gives the lock back.
void BoundedWordQueue::let_producer_in() noexcept {
    Waiter* producer = nullptr;
    if (!producers_.is_empty()) {
        WaitList::Locked view(producers_);
        producer = view.take_first();
        view.announce_notifier();
        // There may be more of them.
        ready_.store(0, std::memory_order_release);
    }
    head_lock_.unlock();
    if (producer != nullptr) producer->notify();
}

// Called with head_lock_ held, and gives it back.
Passage BoundedWordQueue::pop_slow(Taken& taken, bool is_held) noexcept {
    // Before the look for a word: after a shutdown there come no more.
    const bool is_shut_down = is_shut_down_.load(std::memory_order_acquire);
    if (is_held) forget_lost();
    const bool will_hold = is_held && returned_.load(std::memory_order_relaxed) == nullptr;
    if (will_hold) held_.fetch_add(1, std::memory_order_seq_cst);
    Link* used_up = nullptr;
    if (!take_slowly(taken, used_up)) {
        if (will_hold) held_.fetch_sub(1, std::memory_order_relaxed);
        head_lock_.unlock();
        return is_shut_down ? Passage::shut_down : Passage::blocked;
    }
    if (is_held) {
        taken.generation = held_generation_;
        // So that the next one is held too.
        ready_.store(0, std::memory_order_release);
        head_lock_.unlock();
    } else {
        let_producer_in();
    }
    recycle(used_up);
    return Passage::passed;
}

Passage BoundedWordQueue::pop(Taken& taken, const WaitLimits& limits) {
    return wait_to_pass(
        waiters_, limits, [this, &taken] { return try_pop(taken); },
        [this, &taken] { return pop_certainly(taken, false); });
}

// As WordQueue::pop_certainly().
Passage BoundedWordQueue::pop_certainly(Taken& taken, bool is_held) noexcept {
    tail_lock_.lock();
    tail_lock_.unlock();
    return is_held ? try_pop_held(taken) : try_pop(taken);
}

Passage BoundedWordQueue::pop_or_list(Taken& taken, Waiter& waiter, bool is_first) noexcept {
    return list_or_pass(waiters_, waiter, is_first,
                        [this, &taken] { return pop_certainly(taken, false); });
}

Passage BoundedWordQueue::pop_held_or_list(Taken& taken, Waiter& waiter, bool is_first) noexcept {
    return list_or_pass(waiters_, waiter, is_first,
                        [this, &taken] { return pop_certainly(taken, true); });
}

Passage BoundedWordQueue::try_pop_held(Taken& taken) noexcept {
    head_lock_.lock();
    return pop_slow(taken, true);
}

Passage BoundedWordQueue::pop_held(Taken& taken, const WaitLimits& limits) {
    return wait_to_pass(
        waiters_, limits, [this, &taken] { return try_pop_held(taken); },
        [this, &taken] { return pop_certainly(taken, true); });
}

void BoundedWordQueue::settle(const Taken& taken) noexcept {
    head_lock_.lock();
    if (is_still_held(taken)) held_.fetch_sub(1, std::memory_order_seq_cst);
    let_producer_in();
}

bool BoundedWordQueue::give_back(const Taken& taken, Returned& place) noexcept {
    head_lock_.lock();
    if (!is_still_held(taken) || is_emptied_) {
        head_lock_.unlock();
        tasks_.finish(1);
        return false;
    }
    insert_returned(taken, place);
    head_lock_.unlock();
    waiters_.notify_one();
    return true;
}

// The end -----------------------------------------------------------------------------------------

void BoundedWordQueue::shut_down(bool immediate, Contents& contents) noexcept {
    WakeChain joiners;
    tail_lock_.lock();
    head_lock_.lock();
    // No push goes past this without seeing the flag, and so tail_ stays. The limit first, so that
    // a fork in between finds a queue that is not shut down yet.
    tail_limit_.store(tail_.load(std::memory_order_relaxed), std::memory_order_release);
    is_shut_down_.store(true, std::memory_order_seq_cst);
    if (immediate && !is_emptied_) {
        contents.queue_ = this;
        contents.returned_ = returned_.load(std::memory_order_relaxed);
        contents.chunk_ = head_chunk_.load(std::memory_order_relaxed);
        contents.index_ = head_.load(std::memory_order_relaxed);
        contents.end_ = tail_.load(std::memory_order_relaxed);
        const std::uint64_t count = contents.end_ - contents.index_ + count_returned();
        returned_.store(nullptr, std::memory_order_seq_cst);
        ready_.store(0, std::memory_order_release);
        head_.store(contents.end_, std::memory_order_seq_cst);
        head_chunk_.store(tail_chunk_.load(std::memory_order_relaxed), std::memory_order_release);
        // Last, so that a child of a fork in between can empty what is left.
        is_emptied_ = true;
        // With the locks held: nobody sees the words gone and their tasks unfinished.
        if (count != 0) tasks_.finish(count, joiners);
    }
    head_lock_.unlock();
    tail_lock_.unlock();
    joiners.notify_all();
    waiters_.notify_all();
    producers_.notify_all();
}

// The chunks before the last are nobody else's any more. In the last one nothing is written or read
// by others, since nothing is put.
void BoundedWordQueue::Contents::leave_chunk() noexcept {
    Link* const left = chunk_;
    chunk_ = left->next.load(std::memory_order_acquire);
    if (left != &queue_->origin_) delete static_cast<Chunk*>(left);
}

bool BoundedWordQueue::Contents::next(std::uint64_t& word) noexcept {
    if (queue_ == nullptr) return false;
    if (returned_ != nullptr) {
        word = returned_->word;
        returned_ = returned_->next_returned.load(std::memory_order_relaxed);
        return true;
    }
    if (index_ == end_) return false;
    while (index_ == chunk_->limit) leave_chunk();
    word = static_cast<Chunk*>(chunk_)->cells[index_++ % kCells];
    return true;
}

BoundedWordQueue::Contents::~Contents() {
    if (queue_ == nullptr) return;
    Link* const last = queue_->tail_chunk_.load(std::memory_order_acquire);
    while (chunk_ != last) leave_chunk();
}

}  // namespace weft::detail
