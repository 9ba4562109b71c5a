// Gives a warning while its standard error is in the state that the argument names. Returns 0 if it
// did not notice.

#include <signal.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string_view>

#include <weft/unraisable.hpp>

namespace {

void give_warnings() {
    weft::detail::warn(weft::WarningCategory::UserWarning, "nobody reads this");
    weft::detail::report_unraisable({.object = "nor this"});
}

int with_closed_pipe() {
    std::array<int, 2> ends{};
    if (pipe(ends.data()) != 0 || dup2(ends[1], STDERR_FILENO) < 0) return 90;
    close(ends[0]);
    close(ends[1]);
    give_warnings();
    // The signal is neither left pending nor blocked.
    sigset_t set;
    if (sigpending(&set) != 0 || sigismember(&set, SIGPIPE) != 0) return 1;
    if (pthread_sigmask(SIG_SETMASK, nullptr, &set) != 0 || sigismember(&set, SIGPIPE) != 0)
        return 2;
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    const std::string_view state = argc > 1 ? argv[1] : "";
    if (state == "closed_pipe") return with_closed_pipe();
    close(STDERR_FILENO);
    errno = EXDEV;
    give_warnings();
    if (state == "errno") return errno == EXDEV ? 0 : 3;
    return state == "closed" ? 0 : 98;
}
