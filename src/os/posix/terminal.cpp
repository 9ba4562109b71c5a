#include "os/terminal.hpp"

#include <fcntl.h>
#include <stdlib.h>

#include <array>
#include <cerrno>
#include <system_error>

namespace weft::os {

namespace {

[[noreturn]] void throw_errno(const char* call) {
    throw std::system_error(errno, std::generic_category(), call);
}

}  // namespace

Terminal open_terminal() {
    Terminal terminal;
    terminal.ours = Descriptor(posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
    if (!terminal.ours) throw_errno("posix_openpt");
    if (grantpt(terminal.ours.fd()) != 0) throw_errno("grantpt");
    if (unlockpt(terminal.ours.fd()) != 0) throw_errno("unlockpt");
    std::array<char, 128> name{};
    if (ptsname_r(terminal.ours.fd(), name.data(), name.size()) != 0) throw_errno("ptsname_r");
    terminal.theirs = Descriptor(open(name.data(), O_RDWR | O_NOCTTY | O_CLOEXEC));
    if (!terminal.theirs) throw_errno("open (a terminal)");
    return terminal;
}

}  // namespace weft::os
