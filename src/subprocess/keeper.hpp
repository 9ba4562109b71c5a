#pragma once

#include "os/process.hpp"

namespace weft::subprocess {

/// os::spawn() for a child that is to die with this program. The kernel sends the signal when the
/// thread ends that has started the child, so that must be one that ends with the program: the main
/// thread, or else a thread kept for nothing but this, which is started at its first use.
[[nodiscard]] os::Spawned spawn_from_keeper(const os::SpawnPlan& plan);

}  // namespace weft::subprocess
