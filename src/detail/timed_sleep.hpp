#pragma once

#include <cstddef>
#include <cstdint>
#include <stop_token>

#include <weft/detail/deadline.hpp>
#include <weft/detail/wait_list.hpp>

namespace weft::detail {

/// One sleep with a deadline, listed for as long as it lasts, so that whoever moves Weft's clock
/// can make it look again. Costs nothing for a deadline that never comes.
class TimedSleep {
public:
    /// A sleep on `word`, poked by Waiter::poke.
    TimedSleep(FutexWord& word, Deadline deadline) noexcept;
    /// A sleep of another kind: `poke(subject)` makes it look at the clock again; it is called with
    /// a LowLock held and must neither block nor throw.
    TimedSleep(void (*poke)(void*), void* subject, Deadline deadline) noexcept;
    ~TimedSleep();
    TimedSleep(const TimedSleep&) = delete;
    TimedSleep& operator=(const TimedSleep&) = delete;

    /// Until when the system is to let this thread sleep: the deadline on the system's monotonic
    /// clock, or os::kNoDeadline while only a ManualClock can end the sleep.
    [[nodiscard]] std::int64_t system_deadline() const noexcept;

private:
    friend class SleeperTable;

    void (*poke_)(void*);
    void* subject_;
    Deadline deadline_;
    bool is_due_ = false;  ///< a moved clock has already woken this sleep
    std::uint32_t shard_ = 0;
    std::uint32_t generation_ = 0;  ///< the fork generation in which it was listed
    TimedSleep* previous_ = nullptr;
    TimedSleep* next_ = nullptr;
};

/// Pokes a sleep when its stop token is triggered. Its destructor waits for a poke under way, so
/// that the word may die afterwards.
class PokeOnStop {
public:
    PokeOnStop(FutexWord& word, const std::stop_token* stop) noexcept
        : stop_(stop), callback_(stop != nullptr ? *stop : std::stop_token(), Poke{&word}) {}
    [[nodiscard]] bool is_requested() const noexcept {
        return stop_ != nullptr && stop_->stop_requested();
    }

private:
    struct Poke {
        FutexWord* word;
        void operator()() const noexcept { Waiter::poke(*word); }
    };
    const std::stop_token* stop_;
    std::stop_callback<Poke> callback_;
};

}  // namespace weft::detail
