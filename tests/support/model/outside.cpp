// What lies outside of the engines that the model runs: no signals arrive in it, and no program
// ends.

#include <cstdlib>

#include "detail/interruption.hpp"
#include "runtime/exit.hpp"
#include "runtime/parking.hpp"

namespace weft::detail {

InterruptibleSleep::InterruptibleSleep(FutexWord&, bool) noexcept : is_armed_(false) {}
InterruptibleSleep::~InterruptibleSleep() = default;
bool InterruptibleSleep::is_requested() const noexcept {
    return is_armed_;
}
void throw_keyboard_interrupt() {
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
