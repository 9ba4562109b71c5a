#pragma once

/// Queues between threads, after Python's `queue`.
#include <weft/queue/errors.hpp>
#include <weft/queue/lifo_queue.hpp>
#include <weft/queue/priority_queue.hpp>
#include <weft/queue/queue.hpp>
#include <weft/queue/simple_queue.hpp>
