#include "os/posix/standard_error.hpp"

#include <pthread.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>

#include "os/posix/cancellation.hpp"

namespace weft::os {

namespace {

/// Holds SIGPIPE back from the calling thread, and takes away the one that a write has raised.
class WithoutSigpipe {
public:
    WithoutSigpipe() {
        sigemptyset(&sigpipe_);
        sigaddset(&sigpipe_, SIGPIPE);
        sigset_t pending;
        sigpending(&pending);
        was_pending_ = sigismember(&pending, SIGPIPE) == 1;
        pthread_sigmask(SIG_BLOCK, &sigpipe_, &before_);
    }
    ~WithoutSigpipe() {
        if (has_raised_ && !was_pending_) {
            const timespec no_wait{};
            while (sigtimedwait(&sigpipe_, nullptr, &no_wait) == -1 && errno == EINTR) {
            }
        }
        pthread_sigmask(SIG_SETMASK, &before_, nullptr);
    }
    WithoutSigpipe(const WithoutSigpipe&) = delete;
    WithoutSigpipe& operator=(const WithoutSigpipe&) = delete;

    void has_raised() { has_raised_ = true; }

private:
    sigset_t sigpipe_;
    sigset_t before_;
    bool was_pending_ = false;
    bool has_raised_ = false;
};

}  // namespace

void write_to_standard_error(std::string_view text) noexcept {
    const int saved_errno = errno;
    {
        const WithoutCancellation whole;
        WithoutSigpipe guard;
        while (!text.empty()) {
            const ssize_t written = write(STDERR_FILENO, text.data(), text.size());
            if (written >= 0) {
                text.remove_prefix(static_cast<std::size_t>(written));
            } else if (errno != EINTR) {
                if (errno == EPIPE) guard.has_raised();
                break;
            }
        }
    }
    errno = saved_errno;
}

}  // namespace weft::os
