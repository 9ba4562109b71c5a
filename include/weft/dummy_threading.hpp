#pragma once

#include <weft/dummy_threading/barrier.hpp>
#include <weft/dummy_threading/condition.hpp>
#include <weft/dummy_threading/event.hpp>
#include <weft/dummy_threading/functions.hpp>
#include <weft/dummy_threading/lock.hpp>
#include <weft/dummy_threading/semaphore.hpp>
#include <weft/dummy_threading/thread.hpp>
#include <weft/dummy_threading/timer.hpp>
#include <weft/threading/local.hpp>

namespace weft::dummy_threading {

/// There is one thread, which has one value.
using threading::local;

}  // namespace weft::dummy_threading
