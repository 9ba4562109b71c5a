#pragma once

#include <cstdint>
#include <vector>

namespace weft::os {

/// The kernel's numbers of this process's threads, without those that are past their last
/// instruction in user space. Empty when the system does not tell.
[[nodiscard]] std::vector<std::uint64_t> running_tasks();

}  // namespace weft::os
