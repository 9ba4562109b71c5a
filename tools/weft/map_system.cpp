#include "map_system.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <system_error>
#include <utility>

namespace map {

namespace {

[[noreturn]] void throw_errno(const std::string& what) {
    throw std::system_error(errno, std::generic_category(), what);
}

constexpr std::array kStopSignals = {SIGINT, SIGTERM, SIGHUP};

// What the handler touches.
std::atomic<int> signal_count{0};
std::atomic<int> last_signal{0};
std::atomic<int> signal_pipe{-1};
std::array<struct sigaction, kStopSignals.size()> actions_before;

void on_signal(int number) {
    const int saved_errno = errno;
    last_signal.store(number, std::memory_order_relaxed);
    signal_count.fetch_add(1, std::memory_order_relaxed);
    const char byte = 0;
    // A full pipe is readable already.
    (void)!write(signal_pipe.load(std::memory_order_relaxed), &byte, 1);
    errno = saved_errno;
}

}  // namespace

File::File(File&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

File& File::operator=(File&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
}

File::~File() {
    if (fd_ >= 0) close(fd_);
}

File open_to_read(const std::string& path) {
    File file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file) throw_errno("'" + path + "'");
    return file;
}

File open_standard_input() {
    // The same open file, which may have been read in part.
    constexpr int kAboveStandard = 3;
    File file(fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, kAboveStandard));
    if (!file) throw_errno("standard input");
    return file;
}

File open_to_append(const std::string& path, bool is_emptied) {
    constexpr mode_t kEverybody = 0666;
    const int flags = O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | (is_emptied ? O_TRUNC : 0);
    File file(open(path.c_str(), flags, kEverybody));
    if (!file) throw_errno("'" + path + "'");
    return file;
}

File open_temporary() {
    const char* folder = std::getenv("TMPDIR");
    std::string path = folder != nullptr && *folder != '\0' ? folder : "/tmp";
    constexpr mode_t kOwner = 0600;
    if (File file(open(path.c_str(), O_RDWR | O_TMPFILE | O_CLOEXEC, kOwner)); file) return file;
    path += "/weft-map-XXXXXX";
    File file(mkostemp(path.data(), O_CLOEXEC));
    if (!file) throw_errno("a temporary file '" + path + "'");
    unlink(path.c_str());
    return file;
}

bool is_readable(int fd) {
    pollfd watched{.fd = fd, .events = POLLIN, .revents = 0};
    return poll(&watched, 1, 0) > 0;
}

std::optional<std::size_t> read_now(int fd, std::span<char> into) {
    for (;;) {
        const ssize_t size = read(fd, into.data(), into.size());
        if (size >= 0) return static_cast<std::size_t>(size);
        if (errno == EAGAIN) return std::nullopt;
        if (errno != EINTR) throw_errno("read");
    }
}

void set_nonblocking(int fd) noexcept {
    const int flags = fcntl(fd, F_GETFL);
    if (flags >= 0) fcntl(fd, F_SETFL, flags | O_NONBLOCK);
}

int write_all(int fd, std::string_view text) noexcept {
    while (!text.empty()) {
        const ssize_t size = write(fd, text.data(), text.size());
        if (size >= 0) {
            text.remove_prefix(static_cast<std::size_t>(size));
        } else if (errno == EAGAIN) {
            pollfd watched{.fd = fd, .events = POLLOUT, .revents = 0};
            (void)poll(&watched, 1, -1);
        } else if (errno != EINTR) {
            return errno;
        }
    }
    return 0;
}

void write_at(int fd, std::string_view text, std::uint64_t offset) {
    while (!text.empty()) {
        const ssize_t size = pwrite(fd, text.data(), text.size(), static_cast<off_t>(offset));
        if (size < 0 && errno == EINTR) continue;
        if (size < 0) throw_errno("write to a temporary file");
        text.remove_prefix(static_cast<std::size_t>(size));
        offset += static_cast<std::uint64_t>(size);
    }
}

void read_at(int fd, std::span<char> into, std::uint64_t offset) {
    while (!into.empty()) {
        const ssize_t size = pread(fd, into.data(), into.size(), static_cast<off_t>(offset));
        if (size < 0 && errno == EINTR) continue;
        if (size == 0) errno = EIO;
        if (size <= 0) throw_errno("read from a file");
        into = into.subspan(static_cast<std::size_t>(size));
        offset += static_cast<std::uint64_t>(size);
    }
}

std::optional<std::uint64_t> size_of(int fd) noexcept {
    struct stat about{};
    if (fstat(fd, &about) != 0 || !S_ISREG(about.st_mode)) return std::nullopt;
    return static_cast<std::uint64_t>(about.st_size);
}

int cut_off(int fd, std::uint64_t size) noexcept {
    return ftruncate(fd, static_cast<off_t>(size)) == 0 ? 0 : errno;
}

bool is_terminal(int fd) noexcept {
    return isatty(fd) == 1;
}

std::size_t descriptor_limit() noexcept {
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return 1024;
    return static_cast<std::size_t>(limit.rlim_cur);
}

void ignore_broken_pipes() noexcept {
    signal(SIGPIPE, SIG_IGN);
}

Poller::Poller() : file_(epoll_create1(EPOLL_CLOEXEC)) {
    if (!file_) throw_errno("epoll_create1");
}

void Poller::add(int fd, std::uint64_t tag) {
    epoll_event event{.events = EPOLLIN, .data = {.u64 = tag}};
    if (epoll_ctl(file_.fd(), EPOLL_CTL_ADD, fd, &event) != 0) throw_errno("epoll_ctl");
}

void Poller::remove(int fd) noexcept {
    epoll_ctl(file_.fd(), EPOLL_CTL_DEL, fd, nullptr);
}

std::span<const std::uint64_t> Poller::wait(std::optional<Clock::time_point> until) {
    int limit = -1;
    if (until) {
        using std::chrono::milliseconds;
        const auto left = std::chrono::ceil<milliseconds>(*until - Clock::now()).count();
        constexpr milliseconds::rep kLongest = 3'600'000;
        limit = static_cast<int>(left < 0 ? 0 : left > kLongest ? kLongest : left);
    }
    std::array<epoll_event, kMost> events;
    const int count = epoll_wait(file_.fd(), events.data(), static_cast<int>(kMost), limit);
    if (count < 0 && errno != EINTR) throw_errno("epoll_wait");
    const std::size_t found = count < 0 ? 0 : static_cast<std::size_t>(count);
    for (std::size_t i = 0; i < found; ++i) ready_[i] = events[i].data.u64;
    return {ready_, found};
}

StopSignals::StopSignals() {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) throw_errno("pipe2");
    readable_ = File(ends[0]);
    writable_ = File(ends[1]);
    signal_count.store(0);
    signal_pipe.store(writable_.fd());
    for (std::size_t i = 0; i < kStopSignals.size(); ++i) {
        sigaction(kStopSignals[i], nullptr, &actions_before[i]);
        if (actions_before[i].sa_handler == SIG_IGN) continue;
        struct sigaction action{};
        action.sa_handler = &on_signal;
        action.sa_flags = SA_RESTART;
        sigaction(kStopSignals[i], &action, nullptr);
    }
}

StopSignals::~StopSignals() {
    for (std::size_t i = 0; i < kStopSignals.size(); ++i) {
        sigaction(kStopSignals[i], &actions_before[i], nullptr);
    }
}

void StopSignals::take() noexcept {
    std::array<char, 64> bytes;
    while (read(readable_.fd(), bytes.data(), bytes.size()) > 0) {
    }
}

int StopSignals::count() noexcept {
    return signal_count.load(std::memory_order_relaxed);
}

int StopSignals::last() noexcept {
    return last_signal.load(std::memory_order_relaxed);
}

}  // namespace map
