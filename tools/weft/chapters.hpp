#pragma once

#include <cstddef>

#include "reference.hpp"

namespace tour {

// One chapter of the tour each: does the job of the reference in another way, says what it did and
// how long it took, and returns whether the outcome was right.

/// Threads that take the files from a SimpleQueue.
bool show_threads(Reference& reference, std::size_t workers);
/// One thread that reads, and others that count, with a bounded queue between them.
bool show_pipeline(Reference& reference, std::size_t workers);
/// Threads that go from phase to phase together, at a Barrier.
bool show_phases(Reference& reference, std::size_t workers);
/// Threads that work until an Event, which a Timer sets, stops them.
bool show_stopping(Reference& reference, std::size_t workers);
/// The findings, to python3 and back as pickles; without one, to pickles and back.
bool show_pickle(Reference& reference);

}  // namespace tour
