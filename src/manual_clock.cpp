#include <weft/manual_clock.hpp>

#include <stdexcept>
#include <utility>

#include "detail/clock.hpp"
#include "detail/fmt.hpp"

namespace weft {

namespace {

void require_installed(const char* what) {
    if (!detail::is_clock_frozen()) {
        throw std::runtime_error(fmt::format(
            "ManualClock::{}: no manual clock is installed; call install() first", what));
    }
}

}  // namespace

ManualClock::Installation& ManualClock::Installation::operator=(Installation&& other) noexcept {
    if (this != &other) {
        remove();
        is_active_ = std::exchange(other.is_active_, false);
    }
    return *this;
}

ManualClock::Installation::~Installation() {
    remove();
}

void ManualClock::Installation::remove() noexcept {
    if (std::exchange(is_active_, false)) detail::thaw_clock();
}

ManualClock::Installation ManualClock::install() {
    if (!detail::freeze_clock()) {
        throw std::runtime_error("ManualClock::install: a manual clock is installed already");
    }
    return {};
}

void ManualClock::advance(Timeout step) {
    if (step.is_none() || step.is_negative()) {
        throw std::invalid_argument(
            "ManualClock::advance: time moves on by a step of at least zero");
    }
    require_installed("advance");
    if (!detail::advance_clock(step.length().count())) {
        throw std::overflow_error(
            "ManualClock::advance: the clock ends some 270 years after the machine's start");
    }
}

void ManualClock::wait_for_sleepers(std::size_t count) {
    if (!detail::wait_for_timed_sleepers(count)) require_installed("wait_for_sleepers");
}

std::size_t ManualClock::sleepers() const {
    return detail::count_timed_sleepers();
}

std::chrono::nanoseconds ManualClock::now() const noexcept {
    return std::chrono::nanoseconds(detail::now());
}

}  // namespace weft
