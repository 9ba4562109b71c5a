#pragma once

#include <pthread.h>

namespace weft::os {

/// Holds pthread_cancel() back from the calling thread for a scope: for functions that must not be
/// unwound, because they are noexcept or in the middle of something. The request stays pending.
class WithoutCancellation {
public:
    WithoutCancellation() noexcept { pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before_); }
    ~WithoutCancellation() { pthread_setcancelstate(before_, nullptr); }
    WithoutCancellation(const WithoutCancellation&) = delete;
    WithoutCancellation& operator=(const WithoutCancellation&) = delete;

private:
    int before_ = PTHREAD_CANCEL_ENABLE;
};

}  // namespace weft::os
