#pragma once

#include <cstddef>
#include <cstdint>

#include "os/process.hpp"

namespace weft::os {

/// What a child tells its parent when it fails.
struct SpawnReport {
    SpawnStep step = SpawnStep::none;
    int error = 0;
    std::uint32_t program = 0;
    char reason[232] = {};
};

/// What a child is given beside its plan.
struct SpawnJob {
    const SpawnPlan* plan = nullptr;
    std::uint64_t signal_mask = 0;      ///< the parent's, for the new program
    bool has_default_handlers = false;  ///< the kernel has reset the handlers
    int report_fd = -1;                 ///< where the report goes; -1: the memory is shared
    int go_fd = -1;                     ///< the child waits for a byte from there; -1: it does not
    int go_writer_fd = -1;              ///< the other end, which the child must not hold
    ProcessId parent = 0;
    SpawnReport report{};
    bool has_begun = false;  ///< set by the child: seen by the parent if the memory is shared
};

/// The child's part: does the plan's steps and executes the program, or leaves a report and ends.
/// Does not return. Runs in the parent's memory, on a stack of its own, while the parent's thread
/// stands still: no allocation, no lock, no library function but system calls.
int run_child(void* job);

}  // namespace weft::os
