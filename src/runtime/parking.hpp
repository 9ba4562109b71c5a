#pragma once

namespace weft::runtime {

/// Blocks for ever when the calling thread is a daemon thread of Weft and the program has finished
/// its exit protocol, that is, while static objects are being destroyed. Called where a wait
/// begins.
void park_if_abandoned() noexcept;

}  // namespace weft::runtime
