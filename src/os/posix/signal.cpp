#include "os/posix/signal.hpp"

#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace weft::os {

namespace {

struct sigaction previous;

}  // namespace

void set_interrupt_handler(void (*handler)(int)) {
    struct sigaction action{};
    action.sa_handler = handler;
    sigemptyset(&action.sa_mask);
    if (sigaction(SIGINT, &action, &previous) != 0) {
        throw std::system_error(errno, std::generic_category(), "sigaction(SIGINT)");
    }
}

void restore_interrupt_handler() noexcept {
    sigaction(SIGINT, &previous, nullptr);
}

void interrupt_main_thread() noexcept {
    send_to_main_thread(SIGINT);
}

bool is_signal(int signum) noexcept {
    return signum >= 1 && signum < NSIG;
}

bool has_handler(int signum) noexcept {
    struct sigaction action{};
    // Fails for the signals that the C library keeps for itself.
    if (sigaction(signum, nullptr, &action) != 0) return false;
    if ((action.sa_flags & SA_SIGINFO) != 0) return true;
    return action.sa_handler != SIG_DFL && action.sa_handler != SIG_IGN;
}

void send_to_main_thread(int signum) noexcept {
    const int saved_errno = errno;
    const pid_t process = getpid();
    syscall(SYS_tgkill, process, process, signum);
    errno = saved_errno;
}

}  // namespace weft::os
