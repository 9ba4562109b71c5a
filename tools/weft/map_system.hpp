#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

// What `weft map` asks of the operating system beside starting programs.

namespace map {

using Clock = std::chrono::steady_clock;

/// Owns a descriptor.
class File {
public:
    File() noexcept = default;
    explicit File(int fd) noexcept : fd_(fd) {}
    File(File&& other) noexcept;
    File& operator=(File&& other) noexcept;
    File(const File&) = delete;
    File& operator=(const File&) = delete;
    ~File();
    [[nodiscard]] int fd() const noexcept { return fd_; }
    explicit operator bool() const noexcept { return fd_ >= 0; }

private:
    int fd_ = -1;
};

/// All throw `std::system_error` with the path.
[[nodiscard]] File open_to_read(const std::string& path);
[[nodiscard]] File open_standard_input();
[[nodiscard]] File open_to_append(const std::string& path, bool is_emptied);
/// An open file that has no name and is gone with its last descriptor.
[[nodiscard]] File open_temporary();

/// Whether a read would find something, or the end, at once.
[[nodiscard]] bool is_readable(int fd);
/// Reads what is there; zero at the end, nothing if there is nothing yet. Throws
/// `std::system_error`.
[[nodiscard]] std::optional<std::size_t> read_now(int fd, std::span<char> into);
void set_nonblocking(int fd) noexcept;
/// Writes all of it, waiting as it takes; goes on after signals. Returns errno or 0.
[[nodiscard]] int write_all(int fd, std::string_view text) noexcept;
/// Writes all of it at a place of a file. Throws `std::system_error`.
void write_at(int fd, std::string_view text, std::uint64_t offset);
/// Reads exactly so much from a place of a file. Throws `std::system_error`.
void read_at(int fd, std::span<char> into, std::uint64_t offset);
/// The size of a file that has one.
[[nodiscard]] std::optional<std::uint64_t> size_of(int fd) noexcept;
/// Returns errno or 0.
int cut_off(int fd, std::uint64_t size) noexcept;

[[nodiscard]] bool is_terminal(int fd) noexcept;
/// How many descriptors this program may have.
[[nodiscard]] std::size_t descriptor_limit() noexcept;
/// So that a write to a pipe that nobody reads is an error. Programs that are started get the
/// default.
void ignore_broken_pipes() noexcept;

/// Which descriptors can be read without waiting. Each is known by a number of the caller's.
class Poller {
public:
    Poller();
    void add(int fd, std::uint64_t tag);
    void remove(int fd) noexcept;
    /// Blocks until one can be read, until the time has come, or until a signal was handled.
    /// Returns the tags.
    std::span<const std::uint64_t> wait(std::optional<Clock::time_point> until);

private:
    static constexpr std::size_t kMost = 64;
    File file_;
    std::uint64_t ready_[kMost]{};
};

/// Counts SIGINT, SIGTERM and SIGHUP while it lives, but those that this program was started to
/// ignore. At most one at a time.
class StopSignals {
public:
    StopSignals();
    ~StopSignals();
    StopSignals(const StopSignals&) = delete;
    StopSignals& operator=(const StopSignals&) = delete;
    /// Readable once a signal has come; take() makes it unreadable again.
    [[nodiscard]] int fd() const noexcept { return readable_.fd(); }
    void take() noexcept;
    [[nodiscard]] static int count() noexcept;
    [[nodiscard]] static int last() noexcept;

private:
    File readable_;
    File writable_;
};

}  // namespace map
