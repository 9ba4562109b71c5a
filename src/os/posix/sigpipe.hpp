#pragma once

#include <pthread.h>
#include <signal.h>
#include <time.h>

#include <cerrno>

namespace weft::os {

/// Holds SIGPIPE back from the calling thread for a scope, and takes away the one that a write in
/// it has raised: the program's own handler never hears of Weft's pipes.
class WithoutSigpipe {
public:
    WithoutSigpipe() noexcept {
        sigemptyset(&sigpipe_);
        sigaddset(&sigpipe_, SIGPIPE);
        sigset_t pending;
        sigpending(&pending);
        was_pending_ = sigismember(&pending, SIGPIPE) == 1;
        pthread_sigmask(SIG_BLOCK, &sigpipe_, &before_);
    }
    ~WithoutSigpipe() {
        const int saved_errno = errno;
        if (has_raised_ && !was_pending_) {
            const timespec no_wait{};
            while (sigtimedwait(&sigpipe_, nullptr, &no_wait) == -1 && errno == EINTR) {
            }
        }
        pthread_sigmask(SIG_SETMASK, &before_, nullptr);
        errno = saved_errno;
    }
    WithoutSigpipe(const WithoutSigpipe&) = delete;
    WithoutSigpipe& operator=(const WithoutSigpipe&) = delete;

    /// To be called when a write has failed with EPIPE.
    void has_raised() noexcept { has_raised_ = true; }

private:
    sigset_t sigpipe_;
    sigset_t before_;
    bool was_pending_ = false;
    bool has_raised_ = false;
};

}  // namespace weft::os
