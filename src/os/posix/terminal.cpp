#include "os/terminal.hpp"

#include <fcntl.h>
#include <stdlib.h>
#include <termios.h>

#include <array>
#include <cerrno>
#include <system_error>
#include <utility>

namespace weft::os {

namespace {

[[noreturn]] void throw_errno(const char* call) {
    throw std::system_error(errno, std::generic_category(), call);
}

}  // namespace

Terminal open_terminal() {
    Terminal terminal;
    terminal.ours = Descriptor(posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK));
    if (!terminal.ours) throw_errno("posix_openpt");
    terminal.ours = above_standard(std::move(terminal.ours));
    if (grantpt(terminal.ours.fd()) != 0) throw_errno("grantpt");
    if (unlockpt(terminal.ours.fd()) != 0) throw_errno("unlockpt");
    std::array<char, 128> name{};
    if (ptsname_r(terminal.ours.fd(), name.data(), name.size()) != 0) throw_errno("ptsname_r");
    terminal.theirs = Descriptor(open(name.data(), O_RDWR | O_NOCTTY | O_CLOEXEC));
    if (!terminal.theirs) throw_errno("open (a terminal)");
    terminal.theirs = above_standard(std::move(terminal.theirs));
    return terminal;
}

std::string end_of_input(int fd, bool is_at_line_start) {
    const int saved_errno = errno;
    termios settings{};
    const bool is_known = tcgetattr(fd, &settings) == 0;
    errno = saved_errno;
    if (!is_known || (settings.c_lflag & ICANON) == 0) return {};
    const auto character = static_cast<char>(settings.c_cc[VEOF]);
    // In the middle of a line the first only hands over what there is of it.
    return std::string(is_at_line_start ? 1 : 2, character);
}

}  // namespace weft::os
