#include "queue/stress_size.hpp"

const std::uint64_t weft::test::stress_items = 2'000'000;
