#include "subprocess/pipe_state.hpp"

#include <algorithm>
#include <cerrno>
#include <exception>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <system_error>
#include <utility>

#include <weft/errors.hpp>

#include "detail/fd_wait.hpp"
#include "os/terminal.hpp"
#include "subprocess/limits.hpp"
#include "subprocess/utf8.hpp"

namespace weft::detail {

using subprocess::Decoder;
using subprocess::Encoder;
using subprocess::TextFormat;

namespace {

constexpr std::size_t kBlock = 65536;

std::optional<Decoder> decoder_of(const std::optional<TextFormat>& text) {
    return text ? std::optional<Decoder>(std::in_place, *text) : std::nullopt;
}

std::optional<Encoder> encoder_of(const std::optional<TextFormat>& text) {
    return text ? std::optional<Encoder>(std::in_place, *text) : std::nullopt;
}

[[noreturn]] void throw_closed() {
    throw std::invalid_argument("I/O operation on a closed pipe");
}

/// Waits for one descriptor, within the caller's limits and until `abandoned`, which throws what a
/// closed pipe throws.
WaitEnd wait_unless_abandoned(os::Watched watched, const WaitLimits& limits,
                              const std::stop_source& abandoned) {
    // Something that is always ready must not hide Ctrl-C.
    if (subprocess::is_interrupted(limits)) return WaitEnd::interrupted;
    WaitEnd end = WaitEnd::notified;
    WaitLimits both = limits;
    if (limits.stop == nullptr) {
        const std::stop_token token = abandoned.get_token();
        both.stop = &token;
        end = wait_for_descriptors({&watched, 1}, both);
    } else {
        std::stop_source either;
        const auto stop = [&either] { either.request_stop(); };
        const std::stop_callback on_stop(*limits.stop, stop);
        const std::stop_callback on_abandon(abandoned.get_token(), stop);
        const std::stop_token token = either.get_token();
        both.stop = &token;
        end = wait_for_descriptors({&watched, 1}, both);
    }
    if (abandoned.stop_requested()) throw_closed();
    return end;
}

}  // namespace

// PipeReaderState
// ----------------------------------------------------------------------------------

PipeReaderState::PipeReaderState(os::Descriptor fd, const PipeStyle& style)
    : owner_(std::move(fd)),
      fd_(owner_.fd()),
      decoder_(decoder_of(style.text)),
      block_(style.buffer_size == 0 ? 1 : kBlock),
      is_terminal_(style.is_terminal) {}

void PipeReaderState::require_open() const {
    if (fd() < 0) throw_closed();
}

std::size_t PipeReaderState::read_raw(std::span<char> into) const {
    try {
        return os::read_some(fd(), into);
    } catch (const std::system_error& error) {
        // What a terminal says when its last user on the other side is gone.
        if (is_terminal_ && error.code().value() == EIO) return 0;
        throw;
    }
}

bool PipeReaderState::fill(std::size_t most, const WaitLimits& limits) {
    const WaitEnd end = wait_unless_abandoned({.fd = fd()}, limits, abandoned_);
    throw_if_stopped(end);
    if (end == WaitEnd::timed_out) return false;
    // What was handed out goes, or a stream without end would be kept whole.
    pending_.erase(0, std::exchange(taken_, 0));
    // On the heap: threads may have small stacks.
    most = std::min(most, kBlock);
    const auto block = std::make_unique_for_overwrite<char[]>(most);
    const std::size_t size = read_raw({block.get(), most});
    const bool is_at_end = size == 0;
    const std::string_view bytes(block.get(), size);
    if (decoder_) {
        decoder_->decode(bytes, pending_, is_at_end);
    } else {
        pending_ += bytes;
    }
    // After a piece that cannot be decoded the end is found again, and with it what came after.
    is_at_end_ = is_at_end;
    return true;
}

std::string PipeReaderState::take(std::size_t size) {
    std::string result(pending().substr(0, size));
    taken_ += result.size();
    if (taken_ == pending_.size()) {
        pending_.clear();
        taken_ = 0;
    }
    return result;
}

std::string PipeReaderState::read_all() {
    const threading::Guard held(lock_);
    require_open();
    while (!is_at_end_) fill(kBlock, {});
    return take(pending().size());
}

std::string PipeReaderState::read(std::size_t size) {
    const threading::Guard held(lock_);
    require_open();
    subprocess::Characters found;
    for (;;) {
        if (decoder_) {
            // Only what has come since the last look.
            const auto more =
                subprocess::first_characters(pending().substr(found.size), size - found.count);
            found.size += more.size;
            found.count += more.count;
        } else {
            found.size = found.count = std::min(size, pending().size());
        }
        if (found.count == size || is_at_end_) return take(found.size);
        fill(block_ == 1 ? size - found.count : block_, {});
    }
}

std::string PipeReaderState::read_available(std::size_t most, const WaitLimits& limits) {
    const threading::Guard held(lock_);
    require_open();
    if (most == 0) return {};
    // Part of a character is not yet anything.
    while (pending().empty() && !is_at_end_) {
        if (!fill(block_ == 1 ? most : block_, limits)) {
            throw TimeoutError("nothing to read within the limit");
        }
    }
    if (!decoder_) return take(most);
    std::size_t size = std::min(most, pending().size());
    // Not in the middle of a character.
    while (size < pending().size() && size > 1 &&
           (static_cast<unsigned char>(pending()[size]) & 0xC0U) == 0x80) {
        --size;
    }
    return take(size);
}

std::string PipeReaderState::read_line(const WaitLimits& limits) {
    const threading::Guard held(lock_);
    require_open();
    std::size_t looked_at = 0;
    for (;;) {
        const std::size_t end = pending().find('\n', looked_at);
        if (end != std::string_view::npos) return take(end + 1);
        looked_at = pending().size();
        if (is_at_end_) return take(looked_at);
        if (!fill(block_, limits)) throw TimeoutError("no whole line to read within the limit");
    }
}

void PipeReaderState::close() {
    const threading::Guard held(lock_);
    close_locked();
}

void PipeReaderState::abandon(bool is_forked) {
    (void)abandoned_.request_stop();
    if (is_forked) {
        // Whoever held it may be a thread that this process does not have.
        if (!lock_.acquire(false)) return;
        const std::lock_guard held(lock_, std::adopt_lock);
        close_locked();
        return;
    }
    const threading::Guard held(lock_);
    close_locked();
}

void PipeReaderState::close_locked() noexcept {
    fd_.store(-1, std::memory_order_release);
    owner_.close();
}

void PipeReaderState::set_text(const std::optional<TextFormat>& text) {
    auto decoder = decoder_of(text);
    const threading::Guard held(lock_);
    // Neither what is kept here nor the beginning of a character that was cut has been read yet.
    std::string kept;
    std::string begun;
    if (decoder_) {
        kept = pending();
        begun = decoder_->undecoded();
    } else {
        begun = pending();
    }
    if (decoder) {
        decoder->decode(begun, kept, false);
    } else {
        kept += begun;
    }
    pending_ = std::move(kept);
    taken_ = 0;
    decoder_ = std::move(decoder);
}

std::string PipeReaderState::take_pending() {
    return take(pending().size());
}

std::string PipeReaderState::decode_rest(std::string& bytes) {
    if (!decoder_) return std::exchange(bytes, {});
    return decoder_->decode_all(bytes);
}

// PipeWriterState
// ----------------------------------------------------------------------------------

PipeWriterState::PipeWriterState(os::Descriptor fd, const PipeStyle& style)
    : owner_(std::move(fd)),
      fd_(owner_.fd()),
      encoder_(encoder_of(style.text)),
      buffer_size_(static_cast<std::size_t>(std::max(style.buffer_size, 0))),
      is_by_lines_(style.is_by_lines),
      is_terminal_(style.is_terminal) {}

PipeWriterState::~PipeWriterState() {
    // The last handle: what is kept is still written, as far as anybody reads it; but while an
    // exception unwinds, nothing waits.
    if (std::uncaught_exceptions() > 0) return;
    try {
        close();
    } catch (...) {
        close_locked();
    }
}

void PipeWriterState::require_open() const {
    if (fd() < 0) throw_closed();
}

void PipeWriterState::write(std::string_view text) {
    const threading::Guard held(lock_);
    require_open();
    if (encoder_) {
        encoder_->encode(text, pending_);
    } else {
        pending_ += text;
    }
    const bool has_line = is_by_lines_ && text.find('\n') != std::string_view::npos;
    if (pending_.size() > buffer_size_ || has_line) flush_locked({});
}

void PipeWriterState::flush() {
    const threading::Guard held(lock_);
    require_open();
    flush_locked({});
}

void PipeWriterState::flush_locked(const WaitLimits& limits) {
    std::size_t written = 0;
    // What was written is gone from what is kept, however this ends.
    struct Keep {
        std::string& pending;
        const std::size_t& written;
        ~Keep() { pending.erase(0, written); }
    } const keep{pending_, written};
    while (written < pending_.size()) {
        const WaitEnd end = wait_unless_abandoned(
            {.fd = fd(), .for_input = false, .for_output = true}, limits, abandoned_);
        throw_if_stopped(end);
        if (end == WaitEnd::timed_out) return;
        const auto piece = std::string_view(pending_).substr(written, os::atomic_pipe_write());
        os::Written result = os::write_some(fd(), piece);
        // What a terminal says when its last user on the other side is gone.
        if (is_terminal_ && result.error == EIO) result.error = EPIPE;
        if (result.error == EPIPE) written = pending_.size();
        if (result.error != 0 && result.error != EAGAIN) {
            throw std::system_error(result.error, std::generic_category(), "write to a child");
        }
        if (result.size > 0) is_at_line_start_ = piece[result.size - 1] == '\n';
        written += result.size;
    }
}

std::string PipeWriterState::end_of_input(std::string_view last) const {
    if (!is_terminal_ || fd() < 0) return {};
    return os::end_of_input(fd(), last.empty() ? is_at_line_start_ : last.back() == '\n');
}

void PipeWriterState::abandon(bool is_forked, bool is_kept_written) {
    (void)abandoned_.request_stop();
    if (is_forked) {
        if (!lock_.acquire(false)) return;
        const std::lock_guard held(lock_, std::adopt_lock);
        close_locked();
        return;
    }
    const threading::Guard held(lock_);
    if (fd() >= 0 && is_kept_written) {
        abandoned_ = std::stop_source();  // nobody else uses it: the lock is held
        try {
            flush_locked(subprocess::limits_of(Timeout(0)));
        } catch (...) {
            close_locked();
            throw;
        }
    }
    close_locked();
}

void PipeWriterState::close(bool says_end) {
    const threading::Guard held(lock_);
    if (fd() < 0) return;
    try {
        if (says_end) pending_ += end_of_input(pending_);
        flush_locked({});
    } catch (...) {
        close_locked();
        throw;
    }
    close_locked();
}

void PipeWriterState::close_locked() noexcept {
    fd_.store(-1, std::memory_order_release);
    pending_.clear();
    owner_.close();
}

void PipeWriterState::set_text(const std::optional<TextFormat>& text) {
    auto encoder = encoder_of(text);
    const threading::Guard held(lock_);
    encoder_ = std::move(encoder);
}

std::string PipeWriterState::take_pending(std::string_view more) {
    std::string encoded;
    if (encoder_) {
        encoder_->encode(more, encoded);
        more = encoded;
    }
    std::string all = std::exchange(pending_, {});
    all += more;
    return all;
}

}  // namespace weft::detail

namespace weft::subprocess {

namespace {

template <class State>
State& require(const std::shared_ptr<State>& state) {
    if (state == nullptr) {
        throw std::logic_error("this stream of the child is no pipe; start the child with PIPE");
    }
    return *state;
}

}  // namespace

std::string PipeReader::read() const {
    return require(state_).read_all();
}

std::string PipeReader::read(std::size_t size) const {
    return require(state_).read(size);
}

std::string PipeReader::read1(std::size_t most, Timeout timeout) const {
    return require(state_).read_available(most, limits_of(timeout));
}

std::string PipeReader::read1(std::stop_token stop, std::size_t most, Timeout timeout) const {
    return require(state_).read_available(most, limits_of(timeout, &stop));
}

std::string PipeReader::readline(Timeout timeout) const {
    return require(state_).read_line(limits_of(timeout));
}

std::string PipeReader::readline(std::stop_token stop, Timeout timeout) const {
    return require(state_).read_line(limits_of(timeout, &stop));
}

std::vector<std::string> PipeReader::readlines() const {
    std::vector<std::string> all;
    for (std::string line = readline(); !line.empty(); line = readline()) {
        all.push_back(std::move(line));
    }
    return all;
}

int PipeReader::fileno() const {
    return require(state_).fd();
}

void PipeReader::close() const {
    require(state_).close();
}

bool PipeReader::closed() const {
    return require(state_).fd() < 0;
}

std::size_t PipeWriter::write(std::string_view text) const {
    require(state_).write(text);
    return text.size();
}

void PipeWriter::flush() const {
    require(state_).flush();
}

void PipeWriter::close() const {
    require(state_).close();
}

bool PipeWriter::closed() const {
    return require(state_).fd() < 0;
}

int PipeWriter::fileno() const {
    return require(state_).fd();
}

}  // namespace weft::subprocess
