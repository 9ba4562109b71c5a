#pragma once

#include <string>
#include <vector>

namespace map {

/// `weft map`. `arguments` is what follows the word "map". Returns the exit status; throws what
/// CLI11 throws for --help and for wrong options, and `std::exception` for everything else.
int run(const std::vector<std::string>& arguments);

/// For `weft --help`.
inline constexpr const char* kSummary =
    "Run a command once for each argument, line or file, several at the same time.";

}  // namespace map
