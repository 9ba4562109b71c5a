#pragma once

#include <string>

namespace weft::os {

/// How many CPUs' time the control groups of this process allow it, rounded up; 0 for no limit, and
/// where that is not known. Reads files. `root`: where the groups are mounted. Throws
/// `std::bad_alloc`.
[[nodiscard]] int cpu_quota(const std::string& root = "/sys/fs/cgroup");

/// The same for the text of one `cpu.max`: a time and the period in which it may be used up.
[[nodiscard]] int cpus_in_quota(const std::string& cpu_max);

}  // namespace weft::os
