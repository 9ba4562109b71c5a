#include "detail/clock.hpp"

#include <algorithm>
#include <array>
#include <limits>

#include "detail/timed_sleep.hpp"
#include "os/cpu.hpp"
#include "os/futex.hpp"

namespace weft::detail {

namespace {

enum class Mode : std::uint8_t { running, freezing, frozen };

struct ClockState {
    Atomic<Mode> mode{Mode::running};
    Atomic<Nanoseconds> frozen_now{0};  ///< Weft's time while frozen
    Atomic<Nanoseconds> offset{0};      ///< what to add to the system's time otherwise
    LowLock mutex;                      ///< guards writes of the three above
    FutexWord arrivals{0};              ///< counts the sleeps that began while the clock stood
};

constinit ClockState state;

std::uint32_t shard_of_this_thread() noexcept {
    static constinit Atomic<std::uint32_t> next{0};
    thread_local const std::uint32_t mine = next.fetch_add(1, std::memory_order_relaxed);
    return mine;
}

}  // namespace

/// Every sleep with a deadline, spread over shards so that threads rarely meet.
class SleeperTable {
public:
    void add(TimedSleep& sleep) noexcept {
        sleep.shard_ = shard_of_this_thread() % kShards;
        Shard& shard = shards_[sleep.shard_];
        shard.mutex.lock();
        forget_other_process(shard);
        sleep.generation_ = shard.generation;
        sleep.next_ = shard.first;
        if (shard.first != nullptr) shard.first->previous_ = &sleep;
        shard.first = &sleep;
        shard.mutex.unlock();
        // seq_cst against freeze_clock(): either this thread sees the frozen clock, or the freezing
        // thread, which locks every shard afterwards, sees and pokes this sleep.
        if (state.mode.load(std::memory_order_seq_cst) != Mode::running) announce();
    }

    void remove(TimedSleep& sleep) noexcept {
        Shard& shard = shards_[sleep.shard_];
        shard.mutex.lock();
        forget_other_process(shard);
        // Else it was listed before a fork, in a signal handler, and its neighbours are the
        // parent's.
        if (sleep.generation_ == shard.generation) {
            (sleep.previous_ != nullptr ? sleep.previous_->next_ : shard.first) = sleep.next_;
            if (sleep.next_ != nullptr) sleep.next_->previous_ = sleep.previous_;
        }
        shard.mutex.unlock();
    }

    /// Makes every sleep look at the clock again.
    void poke_all() noexcept {
        for_each([](TimedSleep& sleep) { sleep.poke_(sleep.subject_); });
    }

    /// Wakes the sleeps whose deadline is not after `due`.
    void poke_due(Nanoseconds due) noexcept {
        for_each([due](TimedSleep& sleep) {
            if (sleep.is_due_ || sleep.deadline_.when() > due) return;
            sleep.is_due_ = true;
            sleep.poke_(sleep.subject_);
        });
    }

    std::size_t count() noexcept {
        std::size_t total = 0;
        for_each([&total](const TimedSleep& sleep) { total += sleep.is_due_ ? 0 : 1; });
        return total;
    }

private:
    struct alignas(64) Shard {
        LowLock mutex;
        std::uint32_t generation = 0;
        TimedSleep* first = nullptr;
    };

    static constexpr std::size_t kShards = 16;

    static void announce() noexcept {
        state.arrivals.fetch_add(1, std::memory_order_seq_cst);
        os::futex_wake(state.arrivals, std::numeric_limits<int>::max());
    }

    static void forget_other_process(Shard& shard) noexcept {
        const std::uint32_t current = fork_generation.load(std::memory_order_relaxed);
        if (shard.generation == current) return;
        shard.generation = current;
        shard.first = nullptr;
    }

    template <class Visit>
    void for_each(Visit visit) noexcept {
        for (Shard& shard : shards_) {
            shard.mutex.lock();
            forget_other_process(shard);
            for (TimedSleep* each = shard.first; each != nullptr; each = each->next_) visit(*each);
            shard.mutex.unlock();
        }
    }

    std::array<Shard, kShards> shards_{};
};

namespace {

constinit SleeperTable sleepers;

// Where a manual clock ends: 18 years before the last moment that can be counted, so that time can
// go on from there when the clock is removed.
constexpr Nanoseconds kMost = std::numeric_limits<Nanoseconds>::max();
constexpr Nanoseconds kLatest = kMost - kMost / 16;

}  // namespace

Nanoseconds now() noexcept {
    for (;;) {
        const Mode mode = state.mode.load(std::memory_order_seq_cst);
        if (mode == Mode::frozen) return state.frozen_now.load(std::memory_order_acquire);
        if (mode == Mode::running) {
            const Nanoseconds offset = state.offset.load(std::memory_order_acquire);
            const Nanoseconds time = os::monotonic_now() + offset;
            // Still running after the system's clock was read, so a freeze that comes now reads
            // that clock later than this thread did; and with the same offset, so no manual clock
            // came and went while this thread did not run. Weft's time does not go back.
            if (state.mode.load(std::memory_order_seq_cst) == Mode::running &&
                state.offset.load(std::memory_order_acquire) == offset) {
                return time;
            }
        }
        os::yield();
    }
}

bool is_clock_frozen() noexcept {
    return state.mode.load(std::memory_order_seq_cst) != Mode::running;
}

bool freeze_clock() noexcept {
    state.mutex.lock();
    const bool was_running = state.mode.load(std::memory_order_relaxed) == Mode::running;
    if (was_running) {
        state.mode.store(Mode::freezing, std::memory_order_seq_cst);
        state.frozen_now.store(os::monotonic_now() + state.offset.load(std::memory_order_relaxed),
                               std::memory_order_release);
        state.mode.store(Mode::frozen, std::memory_order_seq_cst);
    }
    state.mutex.unlock();
    if (was_running) sleepers.poke_all();
    return was_running;
}

void thaw_clock() noexcept {
    state.mutex.lock();
    state.offset.store(state.frozen_now.load(std::memory_order_relaxed) - os::monotonic_now(),
                       std::memory_order_release);
    state.mode.store(Mode::running, std::memory_order_seq_cst);
    state.mutex.unlock();
    sleepers.poke_all();
    // Whoever waits for sleepers learns that nothing is measured by hand any more.
    state.arrivals.fetch_add(1, std::memory_order_seq_cst);
    os::futex_wake(state.arrivals, std::numeric_limits<int>::max());
}

void restart_clock_after_fork() noexcept {
    // Whoever was about to stop the clock is in the parent, and everybody waits for him to finish.
    if (state.mode.load(std::memory_order_relaxed) == Mode::freezing) {
        state.mode.store(Mode::running, std::memory_order_seq_cst);
    }
}

bool advance_clock(Nanoseconds step) noexcept {
    state.mutex.lock();
    const Nanoseconds start = state.frozen_now.load(std::memory_order_relaxed);
    const bool is_in_range = step <= kLatest - start;
    const Nanoseconds moved = is_in_range ? start + step : start;
    state.frozen_now.store(moved, std::memory_order_release);
    state.mutex.unlock();
    if (is_in_range) sleepers.poke_due(moved);
    return is_in_range;
}

std::size_t count_timed_sleepers() noexcept {
    return sleepers.count();
}

bool wait_for_timed_sleepers(std::size_t count) noexcept {
    for (;;) {
        const std::uint32_t arrivals = state.arrivals.load(std::memory_order_seq_cst);
        if (!is_clock_frozen()) return false;
        if (sleepers.count() >= count) return true;
        os::futex_wait(state.arrivals, arrivals, os::kNoDeadline);
    }
}

// TimedSleep --------------------------------------------------------------------------------------

TimedSleep::TimedSleep(FutexWord& word, Deadline deadline) noexcept
    : TimedSleep([](void* subject) { Waiter::poke(*static_cast<FutexWord*>(subject)); }, &word,
                 deadline) {}

TimedSleep::TimedSleep(void (*poke)(void*), void* subject, Deadline deadline) noexcept
    : poke_(poke), subject_(subject), deadline_(deadline) {
    if (!deadline_.is_never()) sleepers.add(*this);
}

TimedSleep::~TimedSleep() {
    if (!deadline_.is_never()) sleepers.remove(*this);
}

std::int64_t TimedSleep::system_deadline() const noexcept {
    if (deadline_.is_never() || state.mode.load(std::memory_order_seq_cst) != Mode::running) {
        return os::kNoDeadline;
    }
    const Nanoseconds offset = state.offset.load(std::memory_order_acquire);
    // Never early: a deadline below any offset has passed already, and one that the system's clock
    // cannot count will be looked at again when that clock ends.
    if (deadline_.when() < offset) return 0;
    if (offset < 0 && deadline_.when() > kMost + offset) return os::kNoDeadline;
    return deadline_.when() - offset;
}

}  // namespace weft::detail
