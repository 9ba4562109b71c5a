#pragma once

namespace weft::runtime {

/// True on a daemon thread of Weft once the program has finished its exit protocol, that is, while
/// static objects are being destroyed. Such a thread must not return to users' code.
[[nodiscard]] bool is_abandoned() noexcept;

/// Blocks for ever when the calling thread is abandoned. Called where a wait begins, and where one
/// has ended: with no lock held and on no list.
void park_if_abandoned() noexcept;

/// Parks when the scope ends, after what was declared later is destroyed: around a wait.
class ParkAfterwards {
public:
    ParkAfterwards() noexcept = default;
    ~ParkAfterwards() { park_if_abandoned(); }
    ParkAfterwards(const ParkAfterwards&) = delete;
    ParkAfterwards& operator=(const ParkAfterwards&) = delete;
};

}  // namespace weft::runtime
