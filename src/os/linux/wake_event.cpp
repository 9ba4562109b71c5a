#include "os/wake_event.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <system_error>

#include "os/posix/cancellation.hpp"

namespace weft::os {

WakeEvent create_wake_event() {
    const int event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (event < 0) throw std::system_error(errno, std::generic_category(), "eventfd");
    return event;
}

void signal_wake_event(WakeEvent event) noexcept {
    if (event == kNoWakeEvent) return;
    const WithoutCancellation whole;
    const int saved_errno = errno;
    const std::uint64_t one = 1;
    // Fails only when the counter is full, and then the descriptor is readable already.
    while (write(event, &one, sizeof one) < 0 && errno == EINTR) {
    }
    errno = saved_errno;
}

void clear_wake_event(WakeEvent event) noexcept {
    if (event == kNoWakeEvent) return;
    const WithoutCancellation whole;
    const int saved_errno = errno;
    std::uint64_t count = 0;
    while (read(event, &count, sizeof count) < 0 && errno == EINTR) {
    }
    errno = saved_errno;
}

void close_wake_event(WakeEvent event) noexcept {
    if (event == kNoWakeEvent) return;
    const WithoutCancellation whole;
    close(event);
}

}  // namespace weft::os
