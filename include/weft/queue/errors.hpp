#pragma once

#include <weft/detail/config.hpp>
#include <weft/errors.hpp>

namespace weft::queue {

/// Thrown by a get that found no item in the time it was given.
class WEFT_API Empty : public Exception {
public:
    using Exception::Exception;
};

/// Thrown by a put that found no room in the time it was given.
class WEFT_API Full : public Exception {
public:
    using Exception::Exception;
};

/// Thrown by put and get once the queue was shut down.
class WEFT_API ShutDown : public Exception {
public:
    using Exception::Exception;
};

}  // namespace weft::queue
