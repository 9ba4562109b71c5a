#pragma once

namespace weft::test {

/// How many allocations of this thread succeed before one fails; negative: all do. For programs
/// that are built with failing_new.cpp, which replaces the global operator new.
extern thread_local int allocations_left;

}  // namespace weft::test
