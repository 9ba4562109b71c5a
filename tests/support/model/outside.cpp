// What lies outside of the engines that the model runs: no signals arrive in it, and no program
// ends.

#include <atomic>
#include <cstdint>
#include <cstdlib>

#include <weft/detail/lock_order.hpp>
#include <weft/detail/low_lock.hpp>
#include <weft/unraisable.hpp>

#include "detail/interruption.hpp"
#include "runtime/exit.hpp"
#include "runtime/parking.hpp"

namespace weft::detail {

constinit Atomic<std::uint32_t> fork_generation{2};

InterruptibleSleep::InterruptibleSleep(FutexWord&, bool) noexcept : is_armed_(false) {}
InterruptibleSleep::~InterruptibleSleep() = default;
bool InterruptibleSleep::is_requested() const noexcept {
    return is_armed_;
}
void throw_keyboard_interrupt() {
    std::abort();
}

constinit std::atomic<bool> lock_order_checked{false};
void lock_is_wanted(const void*) {}
void lock_is_taken(const void*) noexcept {}
void lock_is_released(const void*) noexcept {}
void lock_is_gone(const void*) noexcept {}
void report_unraisable(const UnraisableHookArgs&) noexcept {
    std::abort();
}

}  // namespace weft::detail

namespace weft::runtime {

Phase phase() noexcept {
    return Phase::running;
}
bool is_abandoned() noexcept {
    return false;
}
void park_if_abandoned() noexcept {}

}  // namespace weft::runtime
