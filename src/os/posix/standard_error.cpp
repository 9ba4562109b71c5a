#include "os/posix/standard_error.hpp"

#include <unistd.h>

#include <cerrno>

#include "os/posix/cancellation.hpp"
#include "os/posix/sigpipe.hpp"

namespace weft::os {

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
