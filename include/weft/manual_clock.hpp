#pragma once

#include <chrono>
#include <cstddef>

#include <weft/detail/config.hpp>
#include <weft/timeout.hpp>

namespace weft {

/// A clock that a test moves by hand. While it is installed, every wait of Weft measures its limit
/// by it: time stands still until advance() moves it, and then exactly those waits end that are
/// due.
///
///     weft::ManualClock clock;
///     auto installed = clock.install();
///     threading::Thread late([&] { event.wait(30s); });  late.start();
///     clock.wait_for_sleepers(1);   // it sleeps
///     clock.advance(30s);           // its time is up
///
/// Installing moves waits that already sleep over to this clock, with what is left of their time;
/// when the installation ends, waits that still sleep go on, with what is left, in real time.
/// Weft's time therefore never jumps. One clock can be installed at a time in a process. Every
/// member may be called by any thread at any time.
///
/// A child of fork() has the clock as the parent had it, standing if it stood; each moves its own.
/// Waits on memory that several processes share obey in the process that installed the clock.
class WEFT_API ManualClock {
public:
    /// As long as this lives, its clock is installed. Movable; the last owner removes the clock.
    class [[nodiscard]] WEFT_API Installation {
    public:
        Installation(Installation&& other) noexcept : is_active_(other.is_active_) {
            other.is_active_ = false;
        }
        Installation& operator=(Installation&& other) noexcept;
        Installation(const Installation&) = delete;
        Installation& operator=(const Installation&) = delete;
        ~Installation();

    private:
        friend class ManualClock;
        Installation() noexcept = default;
        void remove() noexcept;

        bool is_active_ = true;
    };

    ManualClock() noexcept = default;
    ManualClock(const ManualClock&) = delete;
    ManualClock& operator=(const ManualClock&) = delete;

    /// Stops time. Throws `std::runtime_error` when a manual clock is installed already.
    Installation install();

    /// Moves time on and wakes every wait whose deadline is not later than the new time; does not
    /// wait until they have run. Throws `std::invalid_argument` for no limit and for a negative
    /// step, `std::runtime_error` when no clock is installed, and `std::overflow_error`, without
    /// effect, when the sum of all steps comes near 270 years, where the clock ends.
    void advance(Timeout step);

    /// Blocks, in real time and without limit, until at least `count` threads sleep in a wait that
    /// has a deadline and is not yet due. Waits without a deadline do not count: this clock cannot
    /// wake them. Throws `std::runtime_error` when no clock is installed.
    void wait_for_sleepers(std::size_t count);

    /// How many such threads there are now; a snapshot.
    [[nodiscard]] std::size_t sleepers() const;

    /// The time of Weft's clock, counted from an unspecified moment.
    [[nodiscard]] std::chrono::nanoseconds now() const noexcept;
};

}  // namespace weft
