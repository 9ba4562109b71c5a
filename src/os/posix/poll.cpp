#include "os/posix/poll.hpp"

#include <poll.h>
#include <time.h>

#include <array>
#include <cerrno>
#include <string>
#include <system_error>
#include <vector>

#include "os/cpu.hpp"
#include "os/futex.hpp"

namespace weft::os {

namespace {

[[noreturn]] void throw_not_open(int fd) {
    throw std::system_error(EBADF, std::generic_category(),
                            "poll: descriptor " + std::to_string(fd) + " is not open");
}

/// The system's records: on the stack for as many as are usual.
class Records {
public:
    explicit Records(std::size_t size) {
        if (size > few_.size()) many_.resize(size);
        records_ = std::span(size > few_.size() ? many_.data() : few_.data(), size);
    }
    Records(const Records&) = delete;
    Records& operator=(const Records&) = delete;
    [[nodiscard]] std::span<pollfd> all() const { return records_; }

private:
    std::array<pollfd, 16> few_{};
    std::vector<pollfd> many_;
    std::span<pollfd> records_;
};

short events_of(const Watched& watched) {
    return static_cast<short>((watched.for_input ? POLLIN : 0) |
                              (watched.for_output ? POLLOUT : 0));
}

int poll_records(std::span<pollfd> records, std::int64_t deadline) {
    timespec limit{};
    timespec* given = nullptr;
    if (deadline != kNoDeadline) {
        const std::int64_t left = deadline - monotonic_now();
        if (left > 0) {
            limit.tv_sec = left / 1'000'000'000;
            limit.tv_nsec = left % 1'000'000'000;
        }
        given = &limit;
    }
    return ppoll(records.data(), static_cast<nfds_t>(records.size()), given, nullptr);
}

}  // namespace

PollResult poll_until(std::span<Watched> watched, int waker, std::int64_t deadline) {
    const Records records(watched.size() + (waker >= 0 ? 1 : 0));
    for (std::size_t i = 0; i < watched.size(); ++i) {
        // The system passes over negative numbers, and would then wait for nothing.
        if (watched[i].fd < 0) throw_not_open(watched[i].fd);
        records.all()[i] = {.fd = watched[i].fd, .events = events_of(watched[i]), .revents = 0};
        watched[i].is_ready = false;
    }
    if (waker >= 0) records.all().back() = {.fd = waker, .events = POLLIN, .revents = 0};
    const int count = poll_records(records.all(), deadline);
    if (count < 0) {
        if (errno == EINTR) return {};
        throw std::system_error(errno, std::generic_category(), "poll");
    }
    PollResult result;
    for (std::size_t i = 0; i < watched.size(); ++i) {
        const short found = records.all()[i].revents;
        if ((found & POLLNVAL) != 0) throw_not_open(watched[i].fd);
        watched[i].is_ready = found != 0;
        result.is_any_ready = result.is_any_ready || watched[i].is_ready;
    }
    result.is_woken = waker >= 0 && records.all().back().revents != 0;
    return result;
}

}  // namespace weft::os
