#pragma once

#include <filesystem>

namespace tour {

/// Shows Weft at work on the headers below `folder` and says what it did and how long it took.
/// Returns the program's exit status: 0 when every result was the expected one.
int run(const std::filesystem::path& folder);

}  // namespace tour
