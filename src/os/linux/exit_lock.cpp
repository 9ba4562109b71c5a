#include "os/exit_lock.hpp"

#include <fcntl.h>
#include <gnu/libc-version.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstddef>
#include <cstdio>
#include <optional>
#include <string_view>

#include "os/posix/cancellation.hpp"

namespace weft::os {

namespace {

/// How glibc keeps its own recursive locks, those of exit() and of streams among them.
struct LibraryLock {
    int futex;
    int count;  ///< of the levels, or, in newer versions of some locks, of those above the first
    pthread_t owner;
};

/// Reads up to `size` bytes of a file from an offset on; the number read, negative after an error.
ssize_t read_at(const char* path, void* buffer, std::size_t size, std::uintptr_t offset) noexcept {
    const WithoutCancellation whole;
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return -1;
    ssize_t length = 0;
    do {
        length = pread(fd, buffer, size, static_cast<off_t>(offset));
    } while (length < 0 && errno == EINTR);
    close(fd);
    return length;
}

/// The address that a thread sleeps on, if it sleeps in the futex call: the line has the call's
/// number and its arguments.
std::optional<std::uintptr_t> slept_on(std::uint64_t native_id) noexcept {
    std::array<char, 64> path{};
    std::snprintf(path.data(), path.size(), "/proc/self/task/%llu/syscall",
                  static_cast<unsigned long long>(native_id));
    std::array<char, 256> text{};
    const ssize_t length = read_at(path.data(), text.data(), text.size(), 0);
    if (length <= 0) return std::nullopt;
    const char* const end = text.data() + length;
    int call = 0;
    const auto [after_call, error] = std::from_chars(text.data(), end, call);
    constexpr std::string_view kBeforeAddress = " 0x";
    if (error != std::errc() || call != SYS_futex ||
        !std::string_view(after_call, end).starts_with(kBeforeAddress)) {
        return std::nullopt;
    }
    std::uintptr_t address = 0;
    if (std::from_chars(after_call + kBeforeAddress.size(), end, address, 16).ec != std::errc()) {
        return std::nullopt;
    }
    return address;
}

}  // namespace

bool is_exit_exclusive() noexcept {
    int major = 0;
    int minor = 0;
    return std::sscanf(gnu_get_libc_version(), "%d.%d", &major, &minor) == 2 &&
           (major > 2 || (major == 2 && minor >= 41));
}

bool waits_for_lock_of_this_thread(std::uint64_t native_id) noexcept {
    const int saved_errno = errno;
    const std::optional<std::uintptr_t> address = slept_on(native_id);
    LibraryLock lock{};
    // Through the file, since by now the memory may be gone or never have been such a lock.
    const bool is_held_here =
        address && read_at("/proc/self/mem", &lock, sizeof lock, *address) == sizeof lock &&
        lock.futex != 0 && lock.owner == pthread_self();
    errno = saved_errno;
    return is_held_here;
}

}  // namespace weft::os
