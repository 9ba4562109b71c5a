#pragma once

#include <cstdint>

namespace weft::detail {
class ThreadState;
}

namespace weft::runtime {

enum class Role : std::uint8_t { unknown, main, other };

/// What the runtime remembers in each thread. Needs no destructor, so that it can be read until the
/// thread's last instruction.
struct ThisThread {
    detail::ThreadState* state = nullptr;  ///< null until Weft meets the thread, and at its end
    Role role = Role::unknown;
    bool is_weft_daemon = false;
    bool has_ended = false;
    bool has_end_slot = false;
    bool is_armed = false;  ///< the exit protocol runs when this (main) thread ends
    std::uint8_t end_rounds = 0;
};

extern constinit thread_local ThisThread this_thread;

/// Makes sure that the calling thread's end is noticed. Throws `std::system_error` when it cannot.
void require_end_slot();
/// The same; returns an error number, or zero.
[[nodiscard]] int try_end_slot() noexcept;

}  // namespace weft::runtime
