#pragma once

#include <chrono>

namespace weft::test {

/// By how much this run is slower than an ordinary one: 10 under the address and thread sanitizers
/// and under valgrind, else 1.
[[nodiscard]] int slowness();

/// How long one case may take: WEFT_TEST_BUDGET seconds where that is set (as for emulators), else
/// 60 s times slowness().
[[nodiscard]] std::chrono::seconds case_budget();

}  // namespace weft::test
