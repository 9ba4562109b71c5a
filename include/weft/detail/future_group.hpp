#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include <weft/detail/atomic.hpp>
#include <weft/detail/config.hpp>
#include <weft/detail/future_state.hpp>
#include <weft/detail/wait_list.hpp>

namespace weft::detail {

/// What a wait for many futures waits for.
enum class GroupWait : std::uint8_t { first_end, first_failure, all_ends };

/// True for a future that `wait()` and `as_completed()` count as done: a cancelled one only when
/// its executor knows.
[[nodiscard]] inline bool is_over(const FutureState& future) noexcept {
    return future.phase() >= FuturePhase::notified;
}

/// The positions of those that have not come before, in order; linear in time.
[[nodiscard]] WEFT_API std::vector<std::size_t> positions_without_repeats(
    std::span<FutureState* const> futures);

/// Blocks until the condition holds for the futures, which are all different; false when the time
/// was up before. Throws std::bad_alloc, Cancelled and KeyboardInterrupt. The caller keeps the
/// futures alive.
WEFT_API bool wait_for_futures(std::span<FutureState* const> futures, GroupWait what,
                               const WaitLimits& limits);

/// Tells one thread which of many futures have ended, in the order in which they end.
///
/// The thread that makes it owns it, and keeps the futures alive as long. It listens to every
/// future at a place of its own. A thread that ends a future takes the place off that future's list
/// and then reports to it; between the two it holds a share of the memory, so that the owner may
/// leave at any time without waiting.
class WEFT_API FutureGroup {
public:
    /// For up to `size` futures. Throws std::bad_alloc.
    explicit FutureGroup(std::size_t size);
    FutureGroup(FutureGroup&& other) noexcept;
    FutureGroup& operator=(FutureGroup&&) = delete;
    ~FutureGroup();

    /// Listens to one more; its number is size() before the call. False when it is over already:
    /// then nothing has changed.
    bool listen(FutureState& future) noexcept;

    /// How many are listened to.
    [[nodiscard]] std::size_t size() const noexcept { return listening_; }

    /// Waits until at least `count` of them have ended, or one has failed if `or_failure`. A wait
    /// that would sleep throws std::runtime_error if one of them belongs to the process that this
    /// one was forked from.
    [[nodiscard]] WaitEnd wait_for_ends(std::size_t count, bool or_failure,
                                        const WaitLimits& limits);

    /// Waits for the `n`-th end, counted from 0, and gives the number of that future. Throws as
    /// wait_for_ends() does.
    [[nodiscard]] WaitEnd wait_for_end(std::size_t n, std::size_t& number,
                                       const WaitLimits& limits);

private:
    struct Shared;

    struct Place : FutureListener {
        Shared* shared = nullptr;
        FutureState* future = nullptr;
    };

    static void report(FutureListener& self, FutureState* future) noexcept;
    void require_reachable(const WaitLimits& limits) const;

    Shared* shared_;  ///< null once moved from
    std::size_t listening_ = 0;
    std::uint32_t generation_ = 0;  ///< the first process whose threads are to end one; 0: none
};

}  // namespace weft::detail
