#pragma once

#include <weft/detail/config.hpp>

namespace weft::threading {

/// Begins or ends to check in which order threads take several locks, and returns whether it was
/// checked before. The environment variable `WEFT_LOCK_ORDER=1` begins it when the program starts.
///
/// Two threads that take the same two locks in opposite orders can wait for each other for ever,
/// and so can three around a circle. Whether they do is a matter of luck; the checker tells the
/// first time that both orders have occurred, also if nobody waited: one RuntimeWarning to the
/// handler of `weft::set_warning_handler`, with the stacks of both places. (With names as far as
/// the dynamic linker knows them: link with -rdynamic, or give the offsets to addr2line.) It comes
/// before the thread begins to wait. What the handler throws is thrown by the acquire(), and the
/// lock is then not taken; of several orders that one acquire() violates, each is told, and the
/// first exception is thrown.
///
/// Watched are Lock, RLock and the lock of a Condition, which wait() takes again. Only a wait
/// without a limit counts as an order, since others end by themselves; what was taken in any way
/// counts as held, until any thread releases it. Two orders that occur only under a third lock,
/// which is held in both, are no danger, and are not told. Semaphores are not watched: nobody holds
/// them. A destroyed lock is forgotten.
///
/// While it is on, taking and releasing a lock costs about a microsecond, and more beside others;
/// it is meant for tests. It knows up to 16384 pairs of locks, and warns when there are more. While
/// it is off it costs nothing that can be measured. In a child of fork() it begins anew. Never
/// blocks but for its own data; any thread may call it. It allocates memory: an `operator new` of
/// the program's own must not take a lock of Weft's while it is on.
WEFT_API bool check_lock_order(bool on = true) noexcept;

}  // namespace weft::threading
