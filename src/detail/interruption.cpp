#include "detail/interruption.hpp"

#include <weft/detail/wait_list.hpp>
#include <weft/errors.hpp>

#include "runtime/main_thread.hpp"

namespace weft::detail {

namespace {

struct Interruption {
    Atomic<bool> is_enabled{false};
    Atomic<bool> is_noted{false};
    Atomic<FutexWord*> word{nullptr};  ///< what the main thread sleeps on
};

constinit Interruption state;

}  // namespace

void enable_interrupts() noexcept {
    state.is_noted.store(false, std::memory_order_seq_cst);
    state.is_enabled.store(true, std::memory_order_seq_cst);
}

void disable_interrupts() noexcept { state.is_enabled.store(false, std::memory_order_seq_cst); }

bool are_interrupts_enabled() noexcept {
    return state.is_enabled.load(std::memory_order_seq_cst);
}

void note_interrupt() noexcept {
    state.is_noted.store(true, std::memory_order_seq_cst);
    // The poke may wake nobody: the sleeper is this very thread. It changes the word, and that is all
    // that is needed.
    if (FutexWord* const word = state.word.load(std::memory_order_seq_cst)) Waiter::poke(*word);
}

bool is_interrupt_pending() noexcept {
    return state.is_noted.load(std::memory_order_seq_cst) && runtime::is_main_thread();
}

void throw_keyboard_interrupt() {
    state.is_noted.store(false, std::memory_order_seq_cst);
    throw KeyboardInterrupt("interrupted by Ctrl-C");
}

InterruptibleSleep::InterruptibleSleep(FutexWord& word, bool is_wanted) noexcept
    : is_armed_(is_wanted && are_interrupts_enabled() && runtime::is_main_thread()) {
    if (is_armed_) state.word.store(&word, std::memory_order_seq_cst);
}

InterruptibleSleep::~InterruptibleSleep() {
    if (is_armed_) state.word.store(nullptr, std::memory_order_seq_cst);
}

bool InterruptibleSleep::is_requested() const noexcept {
    return is_armed_ && state.is_noted.load(std::memory_order_seq_cst);
}

}  // namespace weft::detail
