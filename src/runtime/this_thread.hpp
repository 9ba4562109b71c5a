#pragma once

#include <cstdint>

#include <weft/detail/atomic.hpp>

namespace weft::detail {
class ThreadState;
}

namespace weft::runtime {

enum class Role : std::uint8_t { unknown, main, other };

/// What the runtime remembers in each thread. Needs no destructor, so that it can be read until the
/// thread's last instruction.
struct ThisThread {
    detail::ThreadState* state = nullptr;  ///< null until Weft meets the thread, and at its end
    /// Of a thread that Weft has started, to its very end: until it has been joined, the registry
    /// keeps the state.
    const detail::ThreadState* own = nullptr;
    Role role = Role::unknown;
    bool is_weft_daemon = false;
    bool has_ended = false;
    bool has_end_slot = false;
    bool is_armed = false;  ///< the exit protocol runs when this (main) thread ends
    std::uint8_t end_rounds = 0;
};

extern constinit thread_local ThisThread this_thread;

/// Called at the end of each thread whose end is noticed, after its `thread_local` objects; null
/// until some thread is traced, which is the business of a floor above.
extern constinit detail::Atomic<void (*)() noexcept> end_of_tracing;

/// Makes sure that the calling thread's end is noticed. Throws `std::system_error` when it cannot.
void require_end_slot();
/// The same; returns an error number, or zero.
[[nodiscard]] int try_end_slot() noexcept;

}  // namespace weft::runtime
