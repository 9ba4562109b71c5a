#pragma once

#include <memory>

#include "runtime/registry.hpp"

namespace weft::runtime {

/// Starts the operating system's thread of a state and waits until it runs; the thread calls `main`
/// and is done. `object` lives until then, and so does `prologue`, which is for `main` to run first
/// and may be null. The caller keeps a share of the state that the new thread cannot drop. See
/// threading::Thread::start() for what it throws.
void start_thread(const ThreadPointer& thread, std::shared_ptr<detail::ThreadBody> object,
                  void (*main)(const ThreadPointer& thread),
                  std::unique_ptr<detail::ThreadBody> prologue = nullptr);

}  // namespace weft::runtime
