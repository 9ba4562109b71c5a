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
    const int saved_errno = errno;
    const pid_t process = getpid();
    syscall(SYS_tgkill, process, process, SIGINT);
    errno = saved_errno;
}

}  // namespace weft::os
