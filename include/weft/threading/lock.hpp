#pragma once

#include <weft/_thread/lock.hpp>
#include <weft/detail/annotations.hpp>

namespace weft::threading {

/// A lock without an owner; any thread may release it. See `_thread::LockType`.
using Lock = _thread::LockType;

/// A lock that its owner may lock again. See `_thread::RLock`.
using RLock = _thread::RLock;

/// Holds a lock for a scope, as `std::scoped_lock` does, and tells Clang's thread-safety analysis
/// so. For Lock, RLock, Condition, and every other type with lock() and unlock().
///
///     threading::Guard held(lock);
template <class Lockable>
class WEFT_SCOPED_CAPABILITY Guard {
public:
    /// Locks; blocks and throws as `lockable.lock()` does.
    explicit Guard(Lockable& lockable) WEFT_ACQUIRE(lockable) : lockable_(lockable) {
        lockable_.lock();
    }
    ~Guard() WEFT_RELEASE() { lockable_.unlock(); }
    Guard(const Guard&) = delete;
    Guard& operator=(const Guard&) = delete;

private:
    Lockable& lockable_;
};

}  // namespace weft::threading
