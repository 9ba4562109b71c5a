#include <weft/concurrent/futures/errors.hpp>

namespace weft::concurrent::futures {

Error::~Error() = default;
CancelledError::~CancelledError() = default;
InvalidStateError::~InvalidStateError() = default;
BrokenExecutor::~BrokenExecutor() = default;

}  // namespace weft::concurrent::futures
