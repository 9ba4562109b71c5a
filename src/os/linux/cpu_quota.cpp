#include "os/cpu_quota.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <new>
#include <sstream>
#include <system_error>

#include <unistd.h>

#include "os/descriptor.hpp"

namespace weft::os {

namespace {

/// A small file's text; empty if it cannot be read.
std::string text_of(const std::string& path) {
    std::string text;
    try {
        const Descriptor file = open_file(path.c_str(), OpenMode::reading);
        char buffer[4096];
        for (;;) {
            const ssize_t size = ::read(file.fd(), buffer, sizeof buffer);
            if (size <= 0) break;
            text.append(buffer, static_cast<std::size_t>(size));
        }
    } catch (const std::system_error&) {
        return {};
    }
    return text;
}

}  // namespace

int cpus_in_quota(const std::string& cpu_max) {
    std::istringstream words(cpu_max);
    std::int64_t quota = 0;
    std::int64_t period = 0;
    // "max" is no number, and no limit.
    if (!(words >> quota >> period) || quota <= 0 || period <= 0) return 0;
    return static_cast<int>(
        (std::min)((quota + period - 1) / period, std::int64_t{(std::numeric_limits<int>::max)()}));
}

int cpu_quota(const std::string& root) {
    std::istringstream groups(text_of("/proc/self/cgroup"));
    std::string line;
    // Of the unified hierarchy; the others are not looked at.
    while (std::getline(groups, line) && !line.starts_with("0::/")) {
    }
    if (!line.starts_with("0::/")) return 0;
    int least = 0;
    // Each group is limited by those above it as well. In a container the path may begin outside of
    // what is mounted: then there is nothing to read but at the root.
    for (std::string group = line.substr(3);; group.resize(group.rfind('/'))) {
        const int here = cpus_in_quota(text_of(root + group + "/cpu.max"));
        if (here != 0 && (least == 0 || here < least)) least = here;
        if (group.empty() || group == "/") break;
    }
    return least;
}

}  // namespace weft::os
