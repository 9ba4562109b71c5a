#include "support/standard_error.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>

namespace weft::test {

namespace {

int checked(int result, const char* what) {
    if (result < 0) throw std::system_error(errno, std::generic_category(), what);
    return result;
}

}  // namespace

StandardError::StandardError() {
    // Datagrams, so that the border between two writes is kept.
    std::array<int, 2> ends{};
    checked(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, ends.data()), "socketpair");
    receiver_ = ends[0];
    before_ = checked(fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3), "fcntl");
    checked(dup2(ends[1], STDERR_FILENO), "dup2");
    close(ends[1]);
}

StandardError::~StandardError() {
    dup2(before_, STDERR_FILENO);
    close(before_);
    close(receiver_);
}

std::vector<std::string> StandardError::writes() {
    std::vector<std::string> all;
    std::string buffer(65536, '\0');
    for (;;) {
        const ssize_t size = recv(receiver_, buffer.data(), buffer.size(), MSG_DONTWAIT);
        if (size < 0) return all;
        all.push_back(buffer.substr(0, static_cast<std::size_t>(size)));
    }
}

}  // namespace weft::test
