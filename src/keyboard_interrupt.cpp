#include <weft/keyboard_interrupt.hpp>

#include <stdexcept>

#include "detail/interruption.hpp"
#include "os/posix/signal.hpp"
#include "runtime/main_thread.hpp"

namespace weft {

namespace {

void on_interrupt(int signal) {
    if (runtime::is_main_thread()) {
        detail::note_interrupt();
    } else {
        os::forward_to_main_thread(signal);
    }
}

}  // namespace

KeyboardInterruptGuard::KeyboardInterruptGuard() {
    if (!runtime::is_main_thread()) {
        throw std::runtime_error("KeyboardInterruptGuard: only the main thread can have one");
    }
    if (detail::are_interrupts_enabled()) {
        throw std::runtime_error("KeyboardInterruptGuard: there is one already");
    }
    detail::enable_interrupts();
    try {
        os::set_interrupt_handler(on_interrupt);
    } catch (...) {
        detail::disable_interrupts();
        throw;
    }
}

KeyboardInterruptGuard::~KeyboardInterruptGuard() {
    os::restore_interrupt_handler();
    detail::disable_interrupts();
}

void KeyboardInterruptGuard::check() const {
    if (detail::is_interrupt_pending()) detail::throw_keyboard_interrupt();
}

}  // namespace weft
