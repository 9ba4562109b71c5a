#include "queue/stress_size.hpp"

const std::uint64_t weft::test::stress_items = 120'000;
