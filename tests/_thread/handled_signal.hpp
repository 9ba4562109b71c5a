#pragma once

#include <csignal>

#include <signal.h>
#include <unistd.h>

namespace weft::test {

inline volatile std::sig_atomic_t handled = 0;
inline volatile pid_t handled_on = 0;

/// A handler that notes the signal and the kernel's number of the thread.
inline void note(int signum) {
    handled = signum;
    handled_on = gettid();
}

/// Sets what becomes of a signal, for a scope.
class Disposition {
public:
    Disposition(int signum, void (*handler)(int)) : signum_(signum) {
        handled = 0;
        handled_on = 0;
        struct sigaction action{};
        action.sa_handler = handler;
        sigaction(signum, &action, &before_);
    }
    ~Disposition() { sigaction(signum_, &before_, nullptr); }
    Disposition(const Disposition&) = delete;
    Disposition& operator=(const Disposition&) = delete;

private:
    int signum_;
    struct sigaction before_{};
};

}  // namespace weft::test
