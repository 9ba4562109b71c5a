#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include <weft/detail/config.hpp>

namespace weft::os {

/// Owns a descriptor. Every descriptor that Weft makes is closed in programs that this one
/// executes.
class Descriptor {
public:
    constexpr Descriptor() noexcept = default;
    explicit constexpr Descriptor(int fd) noexcept : fd_(fd) {}
    Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    Descriptor& operator=(Descriptor&& other) noexcept {
        if (this != &other) {
            close();
            fd_ = std::exchange(other.fd_, -1);
        }
        return *this;
    }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    ~Descriptor() { close(); }

    [[nodiscard]] int fd() const noexcept { return fd_; }
    explicit operator bool() const noexcept { return fd_ >= 0; }
    [[nodiscard]] int release() noexcept { return std::exchange(fd_, -1); }
    /// Leaves errno alone.
    WEFT_API void close() noexcept;

private:
    int fd_ = -1;
};

struct Pipe {
    Descriptor input;   ///< what is read from
    Descriptor output;  ///< what is written to
};

/// A new pipe, both ends above 2, so that neither is taken for a standard stream where those are
/// closed. `size` >= 0 asks for a kernel buffer of that many bytes; what the system refuses of that
/// is passed over. Throws `std::system_error`.
[[nodiscard]] Pipe create_pipe(int size = -1);

/// How a file is opened.
enum class OpenMode { reading, writing_anew, appending, reading_and_writing };

/// Above 2, too. Throws `std::system_error`, whose message has the path.
[[nodiscard]] WEFT_API Descriptor open_file(const char* path, OpenMode mode);

/// A second descriptor of the same open file, above 2. Throws `std::system_error`.
[[nodiscard]] Descriptor duplicate(int fd);

/// The same file under a number above 2, where a number is left; else as it is.
[[nodiscard]] Descriptor above_standard(Descriptor fd) noexcept;

/// The descriptor of a C file. Throws `std::system_error` when it has none.
[[nodiscard]] int descriptor_of(std::FILE* file);

[[nodiscard]] bool is_open(int fd) noexcept;

/// Sets the size of a pipe's kernel buffer; returns whether the system did so.
bool set_pipe_size(int fd, std::size_t size) noexcept;

/// Reads what is there, at most as much as fits, once; zero at the end. Resumes when a signal
/// interrupts it. Throws `std::system_error`.
[[nodiscard]] std::size_t read_some(int fd, std::span<char> into);

/// Reads from a place in a file until the range is full; false where the file ends before. Throws
/// `std::system_error`.
[[nodiscard]] WEFT_API bool read_at(int fd, std::span<char> into, std::uint64_t offset);

/// What became of a write.
struct Written {
    std::size_t size = 0;
    int error = 0;  ///< errno, or 0; EAGAIN only for a descriptor that does not block
};

/// Writes some of the text, once. Raises no SIGPIPE in the program.
[[nodiscard]] Written write_some(int fd, std::string_view text) noexcept;

/// As much as a pipe that has room for anything takes without blocking.
[[nodiscard]] std::size_t atomic_pipe_write() noexcept;

/// True for a file that takes any write at once, as those on a disk do: nobody's reading is waited
/// for.
[[nodiscard]] bool takes_all_at_once(int fd) noexcept;

/// Another description of the same pipe's writing end, which does not block, while others keep
/// theirs as it is; nothing where the system has no such way.
[[nodiscard]] std::optional<Descriptor> reopen_for_nonblocking_writes(int fd) noexcept;

/// Tells the system that memory which is about to be filled is best given in large pages.
void advise_large_pages(char* begin, std::size_t size) noexcept;

/// True on a terminal.
[[nodiscard]] bool is_terminal(int fd) noexcept;

}  // namespace weft::os
