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
#include <weft/threading/lock_order.hpp>

namespace weft::dummy_threading {

/// There is one thread, which has one value.
using threading::local;

/// Has no effect here.
using threading::check_lock_order;

}  // namespace weft::dummy_threading
