#pragma once

#include <cstdint>

namespace weft::test {

/// How many items a stress test of queues moves. Which number it is depends on the file that the
/// program is built with.
extern const std::uint64_t stress_items;

}  // namespace weft::test
