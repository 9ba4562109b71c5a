#pragma once

/// An event scheduler, after Python's `sched`: actions that run at their time, in a fixed order.
#include <weft/sched/event.hpp>
#include <weft/sched/scheduler.hpp>
