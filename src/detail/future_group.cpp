#include <weft/detail/future_group.hpp>

#include <unordered_set>
#include <utility>

#include <weft/errors.hpp>

#include "detail/fmt.hpp"

namespace weft::detail {

// What the owner and those who end futures share. `order[k]` is one more than the number of the
// future that was the k-th to end; a reporter first takes k, then writes there.
struct FutureGroup::Shared {
    explicit Shared(std::size_t size) : places(size), order(size) {}

    void leave(std::size_t shares) noexcept {
        // Release: this owner has done with it. Acquire, for the last: so have all others.
        if (owners.fetch_sub(shares, std::memory_order_acq_rel) == shares) delete this;
    }

    std::vector<Place> places;
    std::vector<Atomic<std::size_t>> order;
    Atomic<std::size_t> owners{1};  ///< the group, and one for each place that is on a list
    Atomic<std::size_t> ended{0};
    Atomic<bool> has_failed{false};
    WaitList waiters;
};

FutureGroup::FutureGroup(std::size_t size) : shared_(new Shared(size)) {}

FutureGroup::FutureGroup(FutureGroup&& other) noexcept
    : shared_(std::exchange(other.shared_, nullptr)),
      listening_(other.listening_),
      generation_(other.generation_) {}

FutureGroup::~FutureGroup() {
    if (shared_ == nullptr) return;
    std::size_t shares = 1;
    for (std::size_t i = 0; i < listening_; ++i) {
        Place& place = shared_->places[i];
        if (place.future != nullptr && place.future->remove(place)) ++shares;
    }
    shared_->leave(shares);
}

bool FutureGroup::listen(FutureState& future) noexcept {
    Place& place = shared_->places[listening_];
    place.fire = &FutureGroup::report;
    place.hears_cancel = false;
    place.shared = shared_;
    place.future = &future;
    shared_->owners.fetch_add(1, std::memory_order_relaxed);
    if (!future.add(place)) {
        shared_->owners.fetch_sub(1, std::memory_order_relaxed);
        return false;
    }
    ++listening_;
    const std::uint32_t generation = future.generation();
    // Generations only grow.
    if (generation != 0 && (generation_ == 0 || generation < generation_)) generation_ = generation;
    return true;
}

void FutureGroup::report(FutureListener& self, FutureState* future) noexcept {
    auto& place = static_cast<Place&>(self);
    Shared& shared = *place.shared;
    if (future != nullptr) {
        if (future->has_failed()) shared.has_failed.store(true, std::memory_order_seq_cst);
        const std::size_t k = shared.ended.fetch_add(1, std::memory_order_seq_cst);
        const auto number = static_cast<std::size_t>(&place - shared.places.data());
        // seq_cst pairs with the loads of the wait: a thread that lists itself later sees this, and
        // notify_all() sees one that was listed before.
        shared.order[k].store(number + 1, std::memory_order_seq_cst);
        shared.waiters.notify_all();
    }
    shared.leave(1);
}

/// For a wait whose end is not there; one without time only looks.
void FutureGroup::require_reachable(const WaitLimits& limits) const {
    if (!limits.deadline.has_passed()) require_generation(generation_);
}

WaitEnd FutureGroup::wait_for_ends(std::size_t count, bool or_failure, const WaitLimits& limits) {
    auto take = [&] {
        return shared_->ended.load(std::memory_order_seq_cst) >= count ||
               (or_failure && shared_->has_failed.load(std::memory_order_seq_cst));
    };
    if (!take()) require_reachable(limits);
    const WaitNotice notice(nullptr, limits);
    return shared_->waiters.wait(take, limits);
}

WaitEnd FutureGroup::wait_for_end(std::size_t n, std::size_t& number, const WaitLimits& limits) {
    auto take = [&] {
        const std::size_t entry = shared_->order[n].load(std::memory_order_seq_cst);
        if (entry == 0) return false;
        number = entry - 1;
        return true;
    };
    if (!take()) {
        require_reachable(limits);
        const WaitNotice notice(nullptr, limits);
        const WaitEnd end = shared_->waiters.wait(take, limits);
        if (end != WaitEnd::notified) return end;
    }
    // The owner may let go of a future that he has been told of.
    shared_->places[number].future = nullptr;
    return WaitEnd::notified;
}

std::vector<std::size_t> positions_without_repeats(std::span<FutureState* const> futures) {
    std::vector<std::size_t> positions;
    positions.reserve(futures.size());
    std::unordered_set<const FutureState*> seen;
    seen.reserve(futures.size());
    for (std::size_t i = 0; i < futures.size(); ++i) {
        if (seen.insert(futures[i]).second) positions.push_back(i);
    }
    return positions;
}

bool wait_for_futures(std::span<FutureState* const> futures, GroupWait what,
                      const WaitLimits& limits) {
    // A task that waits for all of others does so one after the other: it runs those that have not
    // begun, and finds out whether one waits for it.
    if (TaskRunner::current() != nullptr && has_no_limit(limits) &&
        (what == GroupWait::all_ends || futures.size() == 1)) {
        for (FutureState* const future : futures) {
            if (!future->is_done()) future->wait_until_done(limits);
        }
    }
    FutureGroup group(futures.size());
    for (FutureState* const future : futures) {
        if (group.listen(*future)) continue;
        if (what == GroupWait::first_end ||
            (what == GroupWait::first_failure && future->has_failed())) {
            return true;
        }
    }
    if (group.size() == 0) return true;
    const std::size_t wanted = what == GroupWait::first_end ? 1 : group.size();
    const WaitEnd end = group.wait_for_ends(wanted, what == GroupWait::first_failure, limits);
    throw_if_stopped(end);
    return end == WaitEnd::notified;
}

void throw_unfinished(std::size_t unfinished, std::size_t all) {
    throw TimeoutError(fmt::format("{} (of {}) futures unfinished", unfinished, all));
}

}  // namespace weft::detail
