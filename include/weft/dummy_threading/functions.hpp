#pragma once

#include <cstddef>
#include <stdexcept>
#include <vector>

#include <weft/_dummy_thread.hpp>
#include <weft/detail/config.hpp>
#include <weft/dummy_threading/thread.hpp>

namespace weft::dummy_threading {

using _dummy_thread::get_ident;
using _dummy_thread::stack_size;
using _dummy_thread::TIMEOUT_MAX;

/// What wrong use of threads and locks throws.
using ThreadError = std::runtime_error;

/// The thread whose target runs now, innermost; else the main thread.
[[nodiscard]] WEFT_API Thread current_thread();
/// What is not in a thread. Every thread of the system's has one.
[[nodiscard]] WEFT_API Thread main_thread();
/// The main thread and those whose targets run now, one inside the other.
[[nodiscard]] WEFT_API std::vector<Thread> enumerate();
/// How many enumerate() lists.
[[nodiscard]] WEFT_API std::size_t active_count();

}  // namespace weft::dummy_threading
