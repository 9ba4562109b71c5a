#pragma once

#include <functional>
#include <stop_token>
#include <string>

#include <weft/detail/config.hpp>
#include <weft/threading/barrier.hpp>
#include <weft/timeout.hpp>

namespace weft::dummy_threading {

using threading::BrokenBarrierError;

/// As threading::Barrier, among no threads: only one of one party can be met.
class Barrier {
public:
    /// Throws `std::invalid_argument` for less than one party.
    WEFT_API explicit Barrier(int parties, std::function<void()> action = {}, Timeout timeout = {});
    Barrier(const Barrier&) = delete;
    Barrier& operator=(const Barrier&) = delete;

    /// Of one party: calls the action and returns 0; what the action throws is thrown, and the
    /// barrier is broken. Of more: waits until the limit (this one, else the constructor's) has
    /// passed, if there is one, then breaks the barrier and throws BrokenBarrierError. Throws that
    /// at once when the barrier is broken.
    int wait(Timeout timeout = {}) { return wait_within(timeout, nullptr); }
    /// The same; throws weft::Cancelled when `stop` is triggered first, and breaks the barrier.
    int wait(const std::stop_token& stop, Timeout timeout = {}) {
        return wait_within(timeout, &stop);
    }

    /// Makes it usable again.
    void reset() noexcept { is_broken_ = false; }
    /// Breaks it until reset().
    void abort() noexcept { is_broken_ = true; }

    [[nodiscard]] int parties() const noexcept { return parties_; }
    [[nodiscard]] int n_waiting() const noexcept { return waiting_; }
    [[nodiscard]] bool broken() const noexcept { return is_broken_; }

    /// Python's text form, with `waiters=k/n` or `broken`.
    [[nodiscard]] WEFT_API std::string repr() const;

private:
    WEFT_API int wait_within(Timeout timeout, const std::stop_token* stop);

    const int parties_;
    const std::function<void()> action_;
    const Timeout timeout_;
    int waiting_ = 0;
    bool is_broken_ = false;
};

}  // namespace weft::dummy_threading
