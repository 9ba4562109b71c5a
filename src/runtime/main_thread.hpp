#pragma once

namespace weft::runtime {

/// True on the thread that the process began with, which in a child of fork() is the thread that
/// forked. Never blocks and never allocates; may be called from a signal handler once the thread
/// has called it before.
[[nodiscard]] bool is_main_thread() noexcept;

}  // namespace weft::runtime
