#pragma once

#include <cstddef>
#include <iterator>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include <weft/detail/config.hpp>
#include <weft/timeout.hpp>

namespace weft::detail {
class PipeReaderState;
class PipeWriterState;
struct PipeAccess;
}  // namespace weft::detail

namespace weft::subprocess {

/// The end from which a child's output is read: `Popen::stdout_()` and `stderr_()`.
///
/// A handle: copies mean the same end, and the last one closes it, or close() does. States: open;
/// closed. A handle that means none (the child's stream is not a pipe) is false in a condition, and
/// every other use of it throws `std::logic_error`.
///
/// In text mode what is read is decoded to UTF-8, and every end of line is "\n"; otherwise it is
/// the bytes as they are. Members may be called by any threads at once; each call reads as a whole.
/// Reads block until what is asked for is there or the stream has ended, which it does when every
/// process that holds its other end has closed it. They throw weft::KeyboardInterrupt on Ctrl-C
/// (while a KeyboardInterruptGuard lives) and keep what they had read for the next call;
/// `std::invalid_argument` once the end is closed, and for what cannot be decoded if the policy is
/// "strict"; `std::system_error` for what the system refuses.
class WEFT_API PipeReader {
public:
    /// None.
    PipeReader() noexcept = default;

    explicit operator bool() const noexcept { return state_ != nullptr; }

    /// Everything until the end; empty at the end.
    [[nodiscard]] std::string read() const;
    /// `size` bytes (in text mode: characters), or what there is until the end.
    [[nodiscard]] std::string read(std::size_t size) const;
    /// What is there now, at least one byte and at most `most`: waits only if there is nothing.
    /// Empty at the end. Throws weft::TimeoutError when nothing came within the limit, and
    /// weft::Cancelled when the token is triggered first.
    [[nodiscard]] std::string read1(std::size_t most = 65536, Timeout timeout = {}) const;
    [[nodiscard]] std::string read1(std::stop_token stop, std::size_t most = 65536,
                                    Timeout timeout = {}) const;
    /// The next line with its end, which the last line may lack; empty at the end. With a limit it
    /// throws as read1() does, and keeps the beginning of the line for the next call.
    [[nodiscard]] std::string readline(Timeout timeout = {}) const;
    [[nodiscard]] std::string readline(std::stop_token stop, Timeout timeout = {}) const;
    /// All lines until the end.
    [[nodiscard]] std::vector<std::string> readlines() const;

    /// The lines one by one, each as it comes: `for (std::string line : p.stdout_().lines())`.
    class Lines;
    [[nodiscard]] Lines lines() const;

    /// The descriptor, to watch in an event loop, or to give to another child; -1 once it is
    /// closed.
    [[nodiscard]] int fileno() const;
    /// Closes the end: a child that goes on writing gets SIGPIPE. Again: does nothing.
    void close() const;
    [[nodiscard]] bool closed() const;

private:
    friend struct weft::detail::PipeAccess;
    explicit PipeReader(std::shared_ptr<weft::detail::PipeReaderState> state) noexcept
        : state_(std::move(state)) {}

    std::shared_ptr<weft::detail::PipeReaderState> state_;
};

/// An input range of the lines that are still to come.
class PipeReader::Lines {
public:
    class iterator {
    public:
        using value_type = std::string;
        using difference_type = std::ptrdiff_t;
        iterator() = default;
        [[nodiscard]] const std::string& operator*() const noexcept { return line_; }
        iterator& operator++() {
            line_ = reader_.readline();
            return *this;
        }
        void operator++(int) { ++*this; }
        [[nodiscard]] bool operator==(std::default_sentinel_t) const noexcept {
            return line_.empty();
        }

    private:
        friend class Lines;
        explicit iterator(PipeReader reader) : reader_(std::move(reader)) { ++*this; }
        PipeReader reader_;
        std::string line_;
    };

    /// Reads the first line.
    [[nodiscard]] iterator begin() const { return iterator(reader_); }
    [[nodiscard]] std::default_sentinel_t end() const noexcept { return {}; }

private:
    friend class PipeReader;
    explicit Lines(PipeReader reader) noexcept : reader_(std::move(reader)) {}
    PipeReader reader_;
};

inline PipeReader::Lines PipeReader::lines() const {
    return Lines(*this);
}

/// The end to which a child's input is written: `Popen::stdin_()`.
///
/// A handle, as PipeReader is. What is written is kept until there is `bufsize` of it, or until
/// flush() or close(); in text mode the text is UTF-8 and is encoded. Members may be called by any
/// threads at once; each call writes as a whole.
///
/// Writes block while the pipe is full. They throw `std::system_error` with
/// `std::errc::broken_pipe` once nobody can read it any more (no SIGPIPE is raised in the program),
/// `std::invalid_argument` once the end is closed and for what cannot be encoded, and
/// weft::KeyboardInterrupt on Ctrl-C as reads do; what was not written yet is kept for the next
/// call.
class WEFT_API PipeWriter {
public:
    /// None.
    PipeWriter() noexcept = default;

    explicit operator bool() const noexcept { return state_ != nullptr; }

    /// Writes the text; returns its size.
    std::size_t write(std::string_view text) const;
    /// Writes what is kept.
    void flush() const;
    /// Writes what is kept and closes the end, also when writing fails, which is then thrown.
    /// Again: does nothing. The last handle closes without throwing.
    void close() const;
    [[nodiscard]] bool closed() const;
    /// The descriptor; -1 once it is closed.
    [[nodiscard]] int fileno() const;

private:
    friend struct weft::detail::PipeAccess;
    explicit PipeWriter(std::shared_ptr<weft::detail::PipeWriterState> state) noexcept
        : state_(std::move(state)) {}

    std::shared_ptr<weft::detail::PipeWriterState> state_;
};

}  // namespace weft::subprocess
