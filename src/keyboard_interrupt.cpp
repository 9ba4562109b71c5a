#include <weft/keyboard_interrupt.hpp>

#include <stdexcept>

#include "detail/interruption.hpp"
#include "os/posix/signal.hpp"
#include "os/posix/thread.hpp"
#include "runtime/main_thread.hpp"

namespace weft {

namespace {

// The system is asked on what thread this is: the thread's own memory need not exist yet on a
// thread that has never used Weft.
void on_interrupt(int) {
    if (os::is_first_thread()) {
        detail::note_interrupt();
    } else {
        os::interrupt_main_thread();
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
    // Nobody has thrown it, and nobody will: whoever was there before this guard is to have it.
    if (detail::take_interrupt()) os::interrupt_main_thread();
}

void KeyboardInterruptGuard::check() const {
    if (detail::is_interrupt_pending()) detail::throw_keyboard_interrupt();
}

}  // namespace weft
