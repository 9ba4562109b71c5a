#include "os/descriptor.hpp"

#include <fcntl.h>
#include <limits.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <string>
#include <system_error>

#include "os/posix/cancellation.hpp"
#include "os/posix/sigpipe.hpp"

namespace weft::os {

namespace {

constexpr int kFirstAboveStandard = 3;

[[noreturn]] void throw_errno(const std::string& what) {
    throw std::system_error(errno, std::generic_category(), what);
}

/// Moves a descriptor out of the numbers of the standard streams.
Descriptor raise(Descriptor low) {
    if (low.fd() >= kFirstAboveStandard) return low;
    return duplicate(low.fd());
}

}  // namespace

void Descriptor::close() noexcept {
    if (fd_ < 0) return;
    const WithoutCancellation whole;
    const int saved_errno = errno;
    // Never tried again: Linux frees the number even when a signal interrupts it.
    ::close(std::exchange(fd_, -1));
    errno = saved_errno;
}

Pipe create_pipe(int size) {
    std::array<int, 2> ends{};
    if (pipe2(ends.data(), O_CLOEXEC) != 0) throw_errno("pipe2");
    Pipe pipe{.input = Descriptor(ends[0]), .output = Descriptor(ends[1])};
    pipe.input = raise(std::move(pipe.input));
    pipe.output = raise(std::move(pipe.output));
    if (size >= 0) (void)set_pipe_size(pipe.output.fd(), static_cast<std::size_t>(size));
    return pipe;
}

Descriptor open_file(const char* path, OpenMode mode) {
    int flags = O_CLOEXEC;
    switch (mode) {
        case OpenMode::reading:
            flags |= O_RDONLY;
            break;
        case OpenMode::writing_anew:
            flags |= O_WRONLY | O_CREAT | O_TRUNC;
            break;
        case OpenMode::appending:
            flags |= O_WRONLY | O_CREAT | O_APPEND;
            break;
        case OpenMode::reading_and_writing:
            flags |= O_RDWR;
            break;
    }
    constexpr mode_t kEverybody = 0666;
    int fd = -1;
    do {
        const WithoutCancellation whole;
        fd = open(path, flags, kEverybody);
    } while (fd < 0 && errno == EINTR);
    if (fd < 0) throw_errno("open: '" + std::string(path) + "'");
    return raise(Descriptor(fd));
}

Descriptor duplicate(int fd) {
    const int copy = fcntl(fd, F_DUPFD_CLOEXEC, kFirstAboveStandard);
    if (copy < 0) throw_errno("fcntl(F_DUPFD_CLOEXEC): descriptor " + std::to_string(fd));
    return Descriptor(copy);
}

Descriptor above_standard(Descriptor fd) noexcept {
    if (!fd || fd.fd() >= kFirstAboveStandard) return fd;
    const int saved_errno = errno;
    Descriptor copy(fcntl(fd.fd(), F_DUPFD_CLOEXEC, kFirstAboveStandard));
    errno = saved_errno;
    return copy ? std::move(copy) : std::move(fd);
}

int descriptor_of(std::FILE* file) {
    const int fd = file != nullptr ? fileno(file) : -1;
    if (fd < 0) throw std::system_error(EBADF, std::generic_category(), "fileno");
    return fd;
}

bool is_open(int fd) noexcept {
    const int saved_errno = errno;
    const bool result = fcntl(fd, F_GETFD) >= 0;
    errno = saved_errno;
    return result;
}

bool set_pipe_size(int fd, std::size_t size) noexcept {
#ifdef F_SETPIPE_SZ
    const int saved_errno = errno;
    const bool done = size <= INT_MAX && fcntl(fd, F_SETPIPE_SZ, static_cast<int>(size)) >= 0;
    errno = saved_errno;
    return done;
#else
    (void)fd, (void)size;
    return false;
#endif
}

std::size_t read_some(int fd, std::span<char> into) {
    const WithoutCancellation whole;
    for (;;) {
        const ssize_t size = read(fd, into.data(), into.size());
        if (size >= 0) return static_cast<std::size_t>(size);
        if (errno != EINTR) throw_errno("read");
    }
}

bool read_at(int fd, std::span<char> into, std::uint64_t offset) {
    const WithoutCancellation whole;
    while (!into.empty()) {
        const ssize_t size = pread(fd, into.data(), into.size(), static_cast<off_t>(offset));
        if (size < 0 && errno != EINTR) throw_errno("pread");
        if (size == 0) return false;
        if (size < 0) continue;
        into = into.subspan(static_cast<std::size_t>(size));
        offset += static_cast<std::uint64_t>(size);
    }
    return true;
}

Written write_some(int fd, std::string_view text) noexcept {
    const WithoutCancellation whole;
    WithoutSigpipe guard;
    for (;;) {
        const ssize_t size = write(fd, text.data(), text.size());
        if (size >= 0) return {.size = static_cast<std::size_t>(size), .error = 0};
        if (errno == EINTR) continue;
        if (errno == EPIPE) guard.has_raised();
        return {.size = 0, .error = errno};
    }
}

std::size_t atomic_pipe_write() noexcept {
    return PIPE_BUF;
}

bool takes_all_at_once(int fd) noexcept {
    const int saved_errno = errno;
    struct stat about{};
    const bool result = fstat(fd, &about) == 0 && S_ISREG(about.st_mode);
    errno = saved_errno;
    return result;
}

std::optional<Descriptor> reopen_for_nonblocking_writes(int fd) noexcept {
    std::array<char, 32> path{};
    constexpr std::string_view kFolder = "/proc/self/fd/";
    char* end = std::copy(kFolder.begin(), kFolder.end(), path.begin());
    std::array<char, 12> digits{};
    std::size_t count = 0;
    for (int rest = fd; count == 0 || rest > 0; rest /= 10) {
        digits[count++] = static_cast<char>('0' + rest % 10);
    }
    while (count > 0) *end++ = digits[--count];
    const WithoutCancellation whole;
    const int saved_errno = errno;
    const int copy = open(path.data(), O_WRONLY | O_NONBLOCK | O_CLOEXEC);
    errno = saved_errno;
    if (copy < 0) return std::nullopt;
    return above_standard(Descriptor(copy));
}

void advise_large_pages(char* begin, std::size_t size) noexcept {
#ifdef MADV_HUGEPAGE
    constexpr std::uintptr_t kPage = 4096;
    const auto from = (reinterpret_cast<std::uintptr_t>(begin) + kPage - 1) & ~(kPage - 1);
    const auto to = (reinterpret_cast<std::uintptr_t>(begin) + size) & ~(kPage - 1);
    const int saved_errno = errno;
    if (to > from) (void)madvise(reinterpret_cast<void*>(from), to - from, MADV_HUGEPAGE);
    errno = saved_errno;
#else
    (void)begin, (void)size;
#endif
}

bool is_terminal(int fd) noexcept {
    const int saved_errno = errno;
    const bool result = isatty(fd) == 1;
    errno = saved_errno;
    return result;
}

}  // namespace weft::os
