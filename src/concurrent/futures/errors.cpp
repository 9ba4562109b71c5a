#include <weft/concurrent/futures/errors.hpp>

namespace weft::concurrent::futures {

Error::~Error() = default;
CancelledError::~CancelledError() = default;
InvalidStateError::~InvalidStateError() = default;
BrokenExecutor::~BrokenExecutor() = default;
DeadlockError::~DeadlockError() = default;
thread::BrokenThreadPool::~BrokenThreadPool() = default;

}  // namespace weft::concurrent::futures
