#pragma once

/// Queues between threads, after Python's `queue`.
#include <weft/queue/errors.hpp>
#include <weft/queue/simple_queue.hpp>
