#include <weft/detail/task_count.hpp>

#include <cassert>

namespace weft::detail {

TaskCount::~TaskCount() {
    [[maybe_unused]] const WaitList::Locked view(joiners_);
    assert(view.is_empty() && "a queue must not be destroyed while a thread joins it");
}

// The last item is counted with the list's lock held, and so is the look at who waits: whoever
// finds the count at zero, and then destroys the queue, takes that lock in doing so.
std::uint64_t TaskCount::finish(std::uint64_t most, WakeChain& joiners) noexcept {
    std::uint64_t finished = 0;
    WaitList::Locked view(joiners_);
    std::uint64_t done = done_.load(std::memory_order_acquire);
    do {
        const std::uint64_t open = put_.load(std::memory_order_acquire) - done;
        finished = open < most ? open : most;
    } while (!done_.compare_exchange_weak(done, done + finished, std::memory_order_seq_cst,
                                          std::memory_order_acquire));
    if (unfinished() == 0 && !view.is_empty()) {
        while (Waiter* const joiner = view.take_first()) joiners.add(*joiner);
        view.announce_notifier();
    }
    return finished;
}

std::uint64_t TaskCount::finish(std::uint64_t most) noexcept {
    WakeChain joiners;
    const std::uint64_t finished = finish(most, joiners);
    joiners.notify_all();
    return finished;
}

WaitEnd TaskCount::join(const WaitLimits& limits) noexcept {
    // A joiner enters the list, and then looks; finish() counts, and then looks whether anybody is
    // listed, under the list's lock. Whoever takes that lock later sees the other.
    auto all_done = [this] { return unfinished() == 0; };
    return joiners_.wait(all_done, limits);
}

}  // namespace weft::detail
