#pragma once

#include <weft/_dummy_thread.hpp>
#include <weft/threading/lock.hpp>

/// The interface of `weft::threading` without threads: start() runs the thread's body to its end,
/// on the calling thread. `namespace threading = weft::dummy_threading;` makes a program run in one
/// order.
///
/// What waits for another thread cannot be helped by one: with a limit it waits that long and
/// reports that it was in vain; without one it throws `std::runtime_error` instead of waiting for
/// ever. (Unlike Python, where it loops for ever or returns at once as if it had succeeded.) Only a
/// blocking acquire() of a locked Lock succeeds. Nothing here is for several threads at once; each
/// thread of the system's has a world of its own.
namespace weft::dummy_threading {

/// A lock whose blocking acquire() always succeeds. See `_dummy_thread::LockType`.
using Lock = _dummy_thread::LockType;

/// The same with levels. See `_dummy_thread::RLock`.
using RLock = _dummy_thread::RLock;

/// Holds any lock for a scope.
using threading::Guard;

}  // namespace weft::dummy_threading
