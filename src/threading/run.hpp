#pragma once

#include "runtime/registry.hpp"

namespace weft::threading {

/// What a started thread does: runs what it was made for, and hands what leaves it to excepthook.
void run_on_thread(const runtime::ThreadPointer& thread);

/// Runs and destroys the body of a thread made from a target. See Thread::run().
void run_target(detail::ThreadState& thread);

}  // namespace weft::threading
