#pragma once

#include "runtime/registry.hpp"

namespace weft::threading {

/// Starts the operating system's thread of a state and waits until it runs. See Thread::start().
void start_thread(const runtime::ThreadPointer& thread, std::shared_ptr<detail::ThreadBody> object);

/// Runs and destroys the body of a thread made from a target. See Thread::run().
void run_target(detail::ThreadState& thread);

}  // namespace weft::threading
