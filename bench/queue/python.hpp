#pragma once

#include <string>

namespace bench {

/// Adds a row for CPython: a child of this program runs the same traffic through the queue that the
/// expression `kind` of module `queue` makes, and says how long it took without its start.
/// `pairs`: of producers and consumers; 0 for one thread alone, -1 for a round trip of two threads.
void add_python(const std::string& row, const std::string& kind, int pairs);

}  // namespace bench
