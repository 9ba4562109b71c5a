#include <weft/sched/scheduler.hpp>

#include <algorithm>
#include <cassert>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <tuple>

#include <weft/detail/low_lock.hpp>
#include <weft/detail/wait_list.hpp>

#include "detail/fmt.hpp"
#include "runtime/exit.hpp"
#include "runtime/parking.hpp"
#include "sched/timer_queue.hpp"

// States of a record: pending -> taken (by run), or pending -> cancelled. Each change is made under
// the scheduler's lock, and whoever makes it owns the scheduler's share of the record from then on.
//
// A running thread enlists its waiter under that lock, having seen what the first event is, and
// whoever changes what is first notifies after the lock: no change is missed. `awaited_` says up to
// which time that matters.
//
// Shutdown: only the destructor, which nobody else may be inside the scheduler for. It takes the
// events away under the lock and destroys them without, until none are left, because a content's
// destructor may still enter others. At the end of the program a daemon may still be in run(): it
// parks before it runs another event, and the destructor leaves the state to it.

namespace weft::sched {

namespace detail {

using weft::detail::Deadline;
using weft::detail::Nanoseconds;

namespace {

constexpr double kNanosecondsPerSecond = 1e9;
constexpr double kInfinity = std::numeric_limits<double>::infinity();

double to_seconds(Nanoseconds moment) noexcept {
    return static_cast<double>(moment) / kNanosecondsPerSecond;
}

[[noreturn]] void throw_half_changed() {
    throw std::runtime_error(
        "sched: the process was forked while another thread changed this scheduler; make a new one "
        "in the child");
}

/// The first moment of Weft's clock that to_seconds() makes `time` or later. Exactly so: a
/// ManualClock stands still, and a thread that woke one nanosecond early would never be due.
Deadline first_moment_at(double time) noexcept {
    const double nanoseconds = std::ceil(time * kNanosecondsPerSecond);
    if (nanoseconds >= 9.2e18) return Deadline::never();
    auto moment = static_cast<Nanoseconds>(std::max(nanoseconds, 0.0));
    while (to_seconds(moment) < time) ++moment;
    while (moment > 0 && to_seconds(moment - 1) >= time) --moment;
    return Deadline::at(moment);
}

}  // namespace

/// How many threads of this process are in run(). Those of the process that it was forked from, the
/// forking thread's own run() among them, do not count in a child: the others never leave there.
class RunnerCount {
public:
    /// Returns what leave() is to be given.
    std::uint32_t enter() noexcept {
        const std::uint32_t generation =
            weft::detail::fork_generation.load(std::memory_order_relaxed);
        std::uint64_t seen = word_.load(std::memory_order_relaxed);
        std::uint64_t next = 0;
        do {
            const std::uint64_t none = std::uint64_t{generation} << kCountBits;
            next = (seen >> kCountBits == generation ? seen : none) + 1;
        } while (!word_.compare_exchange_weak(seen, next, std::memory_order_seq_cst,
                                              std::memory_order_relaxed));
        return generation;
    }
    void leave(std::uint32_t generation) noexcept {
        std::uint64_t seen = word_.load(std::memory_order_relaxed);
        while (seen >> kCountBits == generation &&
               !word_.compare_exchange_weak(seen, seen - 1, std::memory_order_seq_cst,
                                            std::memory_order_relaxed)) {
        }
    }
    [[nodiscard]] bool is_zero() const noexcept {
        const std::uint64_t seen = word_.load(std::memory_order_seq_cst);
        return seen >> kCountBits !=
                   weft::detail::fork_generation.load(std::memory_order_relaxed) ||
               static_cast<std::uint32_t>(seen) == 0;
    }

private:
    static constexpr int kCountBits = 32;
    weft::detail::Atomic<std::uint64_t> word_{0};  ///< the fork generation, and the count in it
};

class SchedulerState {
public:
    SchedulerState(std::function<double()> timefunc, std::function<void(double)> delayfunc)
        : clock(std::move(timefunc)), delay(std::move(delayfunc)) {}

    /// The lock, held; throws when a fork has left the state half changed.
    class Held {
    public:
        explicit Held(SchedulerState& state) : state_(state) {
            state_.mutex_.lock();
            if (state_.is_changing_.load(std::memory_order_relaxed)) [[unlikely]] {
                state_.mutex_.unlock();
                throw_half_changed();
            }
            // A fork copies memory as another processor sees it: first the mark, then the changes,
            // then the mark taken back.
            state_.is_changing_.store(true, std::memory_order_relaxed);
            std::atomic_thread_fence(std::memory_order_release);
        }
        ~Held() {
            state_.is_changing_.store(false, std::memory_order_release);
            state_.mutex_.unlock();
        }
        Held(const Held&) = delete;
        Held& operator=(const Held&) = delete;

    private:
        SchedulerState& state_;
    };

    [[nodiscard]] bool is_empty() {
        const Held held(*this);
        return queue.size() == 0;
    }
    [[nodiscard]] bool has_own_clock() const noexcept { return clock != nullptr; }
    /// The time of Weft's clock or of the given one, checked.
    [[nodiscard]] double now() const;
    /// Called under the lock with the time of an event that was entered or cancelled; true when
    /// those who wait must be notified, after the lock.
    [[nodiscard]] bool changes_the_first(double time) noexcept {
        if (time > awaited || sleepers.is_empty()) return false;
        awaited = -kInfinity;
        return true;
    }
    /// Waits, off the lock, with a waiter that was enlisted under it.
    void sleep(weft::detail::Waiter& waiter, const weft::detail::WaitLimits& limits);

    const std::function<double()> clock;      ///< empty: Weft's
    const std::function<void(double)> delay;  ///< empty: waiting on Weft's clock

    // Guarded by the lock.
    TimerQueue queue;
    std::uint64_t next_sequence = 0;
    double awaited = -kInfinity;  ///< no thread waits for an event later than this

    weft::detail::WaitList sleepers;
    RunnerCount runners;

private:
    weft::detail::LowLock mutex_;
    weft::detail::Atomic<bool> is_changing_{false};
};

double SchedulerState::now() const {
    if (!has_own_clock()) return to_seconds(weft::detail::now());
    const double time = clock();
    if (std::isnan(time)) throw std::invalid_argument("sched: the clock returned not a number");
    return time;
}

void SchedulerState::sleep(weft::detail::Waiter& waiter, const weft::detail::WaitLimits& limits) {
    using weft::detail::WaitEnd;
    WaitEnd end = weft::runtime::is_abandoned() ? WaitEnd::timed_out : waiter.sleep(limits);
    if (end != WaitEnd::notified && !sleepers.remove(waiter)) end = WaitEnd::notified;
    weft::runtime::park_if_abandoned();
    weft::detail::throw_if_stopped(end);
}

namespace {

/// One thread inside run().
class Runner {
public:
    explicit Runner(SchedulerState& state) noexcept
        : state_(state), generation_(state.runners.enter()) {}
    ~Runner() { state_.runners.leave(generation_); }
    Runner(const Runner&) = delete;
    Runner& operator=(const Runner&) = delete;

private:
    SchedulerState& state_;
    const std::uint32_t generation_;
};

/// An event that was taken: released when it has run, however that ended.
class Taken {
public:
    explicit Taken(EventRecord& record) noexcept : record_(record) {}
    ~Taken() { record_.drop_owner_and_entry(); }
    Taken(const Taken&) = delete;
    Taken& operator=(const Taken&) = delete;
    void run() const { record_.type().call(record_); }

private:
    EventRecord& record_;
};

/// Waits for `difference` units of a clock that is not Weft's.
Deadline after(double difference) noexcept {
    return Deadline::after(Timeout(std::min(difference, TIMEOUT_MAX)));
}

}  // namespace

}  // namespace detail

using detail::EventRecord;
using detail::SchedulerState;

scheduler::scheduler() : scheduler(TimeFunction(), DelayFunction()) {}

scheduler::scheduler(TimeFunction timefunc, DelayFunction delayfunc)
    : state_(std::make_unique<SchedulerState>(std::move(timefunc), std::move(delayfunc))) {}

scheduler::~scheduler() {
    if (!state_->runners.is_zero()) {
        assert(weft::runtime::phase() == weft::runtime::Phase::finalized &&
               "a scheduler was destroyed while a thread ran it");
        // A daemon that the program leaves behind, which is about to park, or the thread that
        // called exit() in an action: the state stays theirs.
        if (weft::runtime::phase() == weft::runtime::Phase::finalized) {
            static_cast<void>(state_.release());
            return;
        }
    }
    for (;;) {
        detail::TimerQueue::Pile pile;
        try {
            const SchedulerState::Held held(*state_);
            pile = state_->queue.take_some();
        } catch (const std::runtime_error&) {
            // Half changed: not even its memory can be given back.
            static_cast<void>(state_.release());
            return;
        }
        if (pile.empty()) return;
        for (const auto& entry : pile) {
            if (entry.record->state == EventRecord::State::cancelled) {
                entry.record->drop_entry();
            } else {
                entry.record->drop_owner_and_entry();
            }
        }
    }
}

double scheduler::timefunc() const {
    return state_->now();
}

void scheduler::delayfunc(double delay) const {
    if (std::isnan(delay)) throw std::invalid_argument("delayfunc: the delay is not a number");
    if (state_->delay != nullptr) {
        state_->delay(delay);
    } else if (delay > 0) {
        weft::runtime::park_if_abandoned();
        const weft::runtime::ParkAfterwards parking;
        weft::detail::WaitList nobody_notifies;
        weft::detail::Waiter waiter;
        nobody_notifies.enter(waiter);
        struct Leave {
            weft::detail::WaitList& list;
            weft::detail::Waiter& waiter;
            ~Leave() { list.remove(waiter); }
        } const leave{nobody_notifies, waiter};
        weft::detail::throw_if_stopped(waiter.sleep({.deadline = detail::after(delay)}));
    }
}

double scheduler::due_after(double delay) const {
    // In whole nanoseconds where Weft's clock has them, so that an event is due exactly when a
    // ManualClock has moved on by its delay.
    constexpr double kExact = 9e9;
    if (!state_->has_own_clock() && std::abs(delay) < kExact) {
        return detail::to_seconds(weft::detail::now() +
                                  std::llround(delay * detail::kNanosecondsPerSecond));
    }
    return state_->now() + delay;
}

void scheduler::enter_record(double time, std::int64_t priority, EventRecord& record) {
    bool must_notify = false;
    try {
        if (std::isnan(time)) {
            throw std::invalid_argument("enterabs: the time is not a number; use a real one");
        }
        record.time = time;
        record.priority = priority;
        const SchedulerState::Held held(*state_);
        record.sequence = state_->next_sequence;
        state_->queue.insert(record);
        ++state_->next_sequence;
        must_notify = state_->changes_the_first(time);
    } catch (...) {
        record.discard();
        throw;
    }
    if (must_notify) state_->sleepers.notify_all();
}

void scheduler::cancel(const Event& event) {
    EventRecord* const record = event.record();
    bool was_pending = false;
    bool must_notify = false;
    const bool is_own = record != nullptr && record->home == this;
    if (is_own) {
        const SchedulerState::Held held(*state_);
        was_pending = record->state == EventRecord::State::pending;
        if (was_pending) {
            record->state = EventRecord::State::cancelled;
            state_->queue.forget_one();
            must_notify = state_->changes_the_first(record->time);
        }
    }
    if (!was_pending) {
        throw std::invalid_argument(
            fmt::format("cancel: {} is not in the queue: {}", event.repr(),
                        is_own ? "it has run or was cancelled"
                               : "it is another scheduler's, or was moved from"));
    }
    if (must_notify) state_->sleepers.notify_all();
    // Not the last share: the caller has one.
    record->drop_owner();
}

bool scheduler::empty() const {
    return state_->is_empty();
}

std::vector<Event> scheduler::queue() const {
    std::vector<EventRecord*> records;
    std::vector<Event> events;
    for (std::size_t size = 0;; records.reserve(size), events.reserve(size)) {
        const SchedulerState::Held held(*state_);
        size = state_->queue.size();
        if (size > std::min(records.capacity(), events.capacity())) continue;
        state_->queue.for_each([&](EventRecord& record) {
            record.add_owner();
            records.push_back(&record);
        });
        break;
    }
    // After the lock, which is for short work only.
    std::sort(records.begin(), records.end(), [](const EventRecord* a, const EventRecord* b) {
        return std::tie(a->time, a->priority, a->sequence) <
               std::tie(b->time, b->priority, b->sequence);
    });
    for (EventRecord* const record : records) events.push_back(Event(*record));
    return events;
}

void scheduler::run() {
    run_events(true, nullptr);
}

void scheduler::run(std::stop_token stop) {
    run_events(true, &stop);
}

std::optional<double> scheduler::run_events(bool blocking, const std::stop_token* stop) {
    weft::runtime::park_if_abandoned();
    SchedulerState& state = *state_;
    const detail::Runner runner(state);
    // Weft's clock never goes back, so what was due once needs no further look at it.
    double now = -detail::kInfinity;
    bool may_be_empty = true;
    for (;;) {
        // Whatever the last turn did: users' objects may be going by now. Nothing of the scheduler
        // object itself is used from here on, but for the state, which outlives this.
        weft::runtime::park_if_abandoned();
        const bool is_stopped = stop != nullptr && stop->stop_requested();
        if (state.has_own_clock()) {
            if (may_be_empty && state.is_empty()) return std::nullopt;
            if (!is_stopped) now = state.now();
        }
        EventRecord* due = nullptr;
        double difference = 0.0;
        weft::detail::Waiter waiter;
        weft::detail::WaitLimits limits{.stop = stop};
        {
            const SchedulerState::Held held(state);
            EventRecord* const first = state.queue.first();
            if (first == nullptr) return std::nullopt;
            if (is_stopped) weft::detail::throw_if_stopped(weft::detail::WaitEnd::cancelled);
            if (first->time > now && !state.has_own_clock()) now = state.now();
            if (first->time <= now) {
                first->state = EventRecord::State::taken;
                state.queue.pop();
                due = first;
                may_be_empty = state.queue.size() == 0;
            } else {
                difference = first->time - now;
                if (!blocking) return difference;
                if (state.delay == nullptr) {
                    state.awaited = std::max(state.awaited, first->time);
                    limits.deadline = state.has_own_clock() ? detail::after(difference)
                                                            : detail::first_moment_at(first->time);
                    state.sleepers.enter(waiter);
                }
            }
        }
        if (due != nullptr) {
            {
                const detail::Taken event(*due);
                event.run();
            }
            if (state.delay != nullptr) {
                weft::runtime::park_if_abandoned();
                state.delay(0.0);
            }
        } else if (state.delay != nullptr) {
            state.delay(difference);
            may_be_empty = true;
        } else {
            state.sleep(waiter, limits);
            may_be_empty = true;
        }
    }
}

}  // namespace weft::sched
