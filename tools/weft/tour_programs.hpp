#pragma once

#include <cstddef>
#include <filesystem>
#include <vector>

namespace tour {

/// Has other programs read these files through a pipeline, and compares what they counted with
/// `bytes`. Says what it did; returns whether it was right.
bool show_programs(const std::vector<std::filesystem::path>& files, std::size_t bytes);

}  // namespace tour
