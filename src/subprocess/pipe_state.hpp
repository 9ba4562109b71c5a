#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>

#include <weft/detail/annotations.hpp>
#include <weft/detail/wait_list.hpp>
#include <weft/subprocess/stream.hpp>
#include <weft/threading/lock.hpp>

#include "os/descriptor.hpp"
#include "subprocess/codec.hpp"

namespace weft::detail {

/// How an end of a pipe behaves.
struct PipeStyle {
    std::optional<subprocess::TextFormat> text{};  ///< none: bytes
    int buffer_size = 0;                           ///< 0: nothing is kept
    bool is_by_lines = false;                      ///< written whenever a line is complete
    bool is_terminal = false;  ///< our side of a terminal, of which other ends may be open
};

/// Our end of a child's output.
///
///     open --(end of file)--> open, at its end --(close, abandon)--> closed
///
/// `lock_` is held during each public member, waits included; `fd_` alone is read without it.
/// Whoever talks to the whole child (Exchange) takes the lock for as long as it does. abandon()
/// ends the waits of the others: each of them ends by `abandoned_` as well.
class PipeReaderState {
public:
    PipeReaderState(os::Descriptor fd, const PipeStyle& style);

    [[nodiscard]] std::string read_all();
    [[nodiscard]] std::string read(std::size_t size);
    [[nodiscard]] std::string read_available(std::size_t most, const WaitLimits& limits);
    [[nodiscard]] std::string read_line(const WaitLimits& limits);
    void close();
    /// Closes, and has another thread that waits in a read throw what a closed pipe throws. Does
    /// not wait for a thread that a parent of this process had (`is_forked`).
    void abandon(bool is_forked) WEFT_NO_THREAD_SAFETY_ANALYSIS;
    [[nodiscard]] int fd() const noexcept { return fd_.load(std::memory_order_acquire); }
    void set_text(const std::optional<subprocess::TextFormat>& text);

    // For Exchange, with the lock held.

    [[nodiscard]] threading::Lock& lock() noexcept { return lock_; }
    /// What was read and not handed out, already decoded in text mode.
    [[nodiscard]] std::string take_pending();
    /// Decodes the rest of what the child wrote; empties the decoder. Takes the bytes only if that
    /// succeeds.
    [[nodiscard]] std::string decode_rest(std::string& bytes);
    /// Reads what is there; zero at the end. Call when the descriptor is ready.
    [[nodiscard]] std::size_t read_raw(std::span<char> into) const;
    void close_locked() noexcept;
    [[nodiscard]] bool is_text() const noexcept { return decoder_.has_value(); }

private:
    void require_open() const;
    /// Reads once, when something is there. False when a limit ended the wait.
    bool fill(std::size_t most, const WaitLimits& limits);
    /// The first `size` bytes of what is pending.
    std::string take(std::size_t size);
    [[nodiscard]] std::string_view pending() const noexcept {
        return std::string_view(pending_).substr(taken_);
    }

    threading::Lock lock_;
    std::stop_source abandoned_;
    os::Descriptor owner_;
    std::atomic<int> fd_;  ///< -1 once closed
    std::optional<subprocess::Decoder> decoder_;
    std::string pending_;
    std::size_t taken_ = 0;  ///< how much of it was handed out
    std::size_t block_;      ///< how much is read at once; 1: no more than is asked for
    bool is_at_end_ = false;
    bool is_terminal_;
};

/// Our end of a child's input. Locks as PipeReaderState does.
class PipeWriterState {
public:
    PipeWriterState(os::Descriptor fd, const PipeStyle& style);
    ~PipeWriterState();
    PipeWriterState(const PipeWriterState&) = delete;
    PipeWriterState& operator=(const PipeWriterState&) = delete;

    void write(std::string_view text);
    void flush();
    /// Writes what is kept and closes. A terminal is told first that the input ends, unless all our
    /// ends of it are about to be closed.
    void close(bool says_end = true);
    /// Closes without waiting: has another thread that waits in a write throw what a closed pipe
    /// throws. What is kept is written as far as there is room (`is_kept_written`), or is lost.
    void abandon(bool is_forked, bool is_kept_written) WEFT_NO_THREAD_SAFETY_ANALYSIS;
    [[nodiscard]] int fd() const noexcept { return fd_.load(std::memory_order_acquire); }
    void set_text(const std::optional<subprocess::TextFormat>& text);

    // For Exchange, with the lock held.

    [[nodiscard]] threading::Lock& lock() noexcept { return lock_; }
    /// What was written and is not in the pipe yet, followed by `more`, encoded.
    [[nodiscard]] std::string take_pending(std::string_view more);
    void close_locked() noexcept;
    [[nodiscard]] bool is_terminal() const noexcept { return is_terminal_; }
    /// What ends the input of a terminal, once `last` (or, if that is empty, what was written
    /// before it) has been written.
    [[nodiscard]] std::string end_of_input(std::string_view last) const;

private:
    void require_open() const;
    void flush_locked(const WaitLimits& limits);

    threading::Lock lock_;
    std::stop_source abandoned_;
    os::Descriptor owner_;
    std::atomic<int> fd_;
    std::optional<subprocess::Encoder> encoder_;
    std::string pending_;
    std::size_t buffer_size_;
    bool is_by_lines_;
    bool is_terminal_;
    bool is_at_line_start_ = true;  ///< of what was written
};

/// The way from a handle to what it means.
struct PipeAccess {
    static subprocess::PipeReader make(std::shared_ptr<PipeReaderState> state) noexcept {
        return subprocess::PipeReader(std::move(state));
    }
    static subprocess::PipeWriter make(std::shared_ptr<PipeWriterState> state) noexcept {
        return subprocess::PipeWriter(std::move(state));
    }
};

}  // namespace weft::detail
