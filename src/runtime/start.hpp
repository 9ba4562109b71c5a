#pragma once

#include <memory>

#include "runtime/registry.hpp"

namespace weft::runtime {

/// Starts the operating system's thread of a state and waits until it runs; the thread calls `main`
/// and is done. `object` lives until then. The caller keeps a share of the state that the new
/// thread cannot drop. See threading::Thread::start() for what it throws.
void start_thread(const ThreadPointer& thread, std::shared_ptr<detail::ThreadBody> object,
                  void (*main)(const ThreadPointer& thread));

}  // namespace weft::runtime
