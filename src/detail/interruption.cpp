#include "detail/interruption.hpp"

#include <weft/detail/wait_list.hpp>
#include <weft/errors.hpp>

#include "os/posix/signal.hpp"
#include "runtime/main_thread.hpp"

namespace weft::detail {

namespace {

struct Interruption {
    Atomic<bool> is_enabled{false};
    Atomic<bool> is_noted{false};
    // How to poke the sleep that the main thread is about to begin or in; `poke` is null without
    // one. Written by the main thread, read by the handler on top of it, and so never torn: the
    // subject is there before the function is.
    Atomic<void*> subject{nullptr};
    Atomic<void (*)(void*)> poke{nullptr};
};

constinit Interruption state;

/// Whether the sleep that `state` knows is the calling thread's.
constinit thread_local bool is_in_sleep = false;

}  // namespace

void enable_interrupts() noexcept {
    state.is_noted.store(false, std::memory_order_seq_cst);
    state.is_enabled.store(true, std::memory_order_seq_cst);
}

void disable_interrupts() noexcept {
    state.is_enabled.store(false, std::memory_order_seq_cst);
}

bool are_interrupts_enabled() noexcept {
    return state.is_enabled.load(std::memory_order_seq_cst);
}

void note_interrupt() noexcept {
    state.is_noted.store(true, std::memory_order_seq_cst);
    // The poke may wake nobody: the sleeper is this very thread. It changes what the kernel
    // compares or watches, and that is all that is needed.
    if (auto* const poke = state.poke.load(std::memory_order_seq_cst)) {
        poke(state.subject.load(std::memory_order_seq_cst));
    }
}

bool request_interrupt() noexcept {
    if (!are_interrupts_enabled()) return false;
    os::interrupt_main_thread();
    return true;
}

void forget_interrupts_after_fork() noexcept {
    // A sleep of another thread is on a stack that this process does not have. A sleep of this one
    // goes on when the signal handler that has forked returns.
    if (!is_in_sleep) state.poke.store(nullptr, std::memory_order_seq_cst);
    state.is_noted.store(false, std::memory_order_seq_cst);
}

bool is_interrupt_pending() noexcept {
    return state.is_noted.load(std::memory_order_seq_cst) && runtime::is_main_thread();
}

bool take_interrupt() noexcept {
    return state.is_noted.exchange(false, std::memory_order_seq_cst);
}

void throw_keyboard_interrupt() {
    state.is_noted.store(false, std::memory_order_seq_cst);
    throw KeyboardInterrupt("interrupted by Ctrl-C");
}

InterruptibleSleep::InterruptibleSleep(FutexWord& word, bool is_wanted) noexcept
    : InterruptibleSleep([](void* subject) { Waiter::poke(*static_cast<FutexWord*>(subject)); },
                         &word, is_wanted) {}

InterruptibleSleep::InterruptibleSleep(void (*poke)(void*), void* subject, bool is_wanted) noexcept
    : is_armed_(is_wanted && are_interrupts_enabled() && runtime::is_main_thread()) {
    if (!is_armed_) return;
    is_in_sleep = true;
    state.subject.store(subject, std::memory_order_seq_cst);
    state.poke.store(poke, std::memory_order_seq_cst);
}

InterruptibleSleep::~InterruptibleSleep() {
    if (!is_armed_) return;
    state.poke.store(nullptr, std::memory_order_seq_cst);
    is_in_sleep = false;
}

bool InterruptibleSleep::is_requested() const noexcept {
    return is_armed_ && state.is_noted.load(std::memory_order_seq_cst);
}

}  // namespace weft::detail
