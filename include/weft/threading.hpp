#pragma once

#include <weft/threading/barrier.hpp>
#include <weft/threading/condition.hpp>
#include <weft/threading/event.hpp>
#include <weft/threading/excepthook.hpp>
#include <weft/threading/functions.hpp>
#include <weft/threading/iterators.hpp>
#include <weft/threading/local.hpp>
#include <weft/threading/lock.hpp>
#include <weft/threading/lock_order.hpp>
#include <weft/threading/semaphore.hpp>
#include <weft/threading/thread.hpp>
#include <weft/threading/timer.hpp>
#include <weft/threading/trace.hpp>
