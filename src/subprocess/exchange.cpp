#include "subprocess/exchange.hpp"

#include <algorithm>
#include <cerrno>
#include <mutex>
#include <system_error>
#include <utility>

#include "detail/fd_wait.hpp"
#include "os/posix/forced_unwind.hpp"
#include "subprocess/limits.hpp"

namespace weft::subprocess {

namespace {

constexpr std::size_t kUsualPipe = 65536;
constexpr std::size_t kLargePipe = std::size_t{1024} * 1024;

using weft::detail::PipeReaderState;
using weft::detail::PipeWriterState;
using weft::detail::WaitEnd;

/// Writes all of it to a descriptor of the program's, within the limits.
WaitEnd write_all(int fd, std::string_view text, const weft::detail::WaitLimits& limits) {
    // What is ready takes a small piece without blocking; a large one could block.
    const std::size_t most = os::takes_all_at_once(fd) ? text.size() : os::atomic_pipe_write();
    while (!text.empty()) {
        if (is_interrupted(limits)) return WaitEnd::interrupted;
        os::Watched watched{.fd = fd, .for_input = false, .for_output = true};
        const WaitEnd end = weft::detail::wait_for_descriptors({&watched, 1}, limits);
        if (end != WaitEnd::notified) return end;
        const os::Written result = os::write_some(fd, text.substr(0, most));
        if (result.error != 0 && result.error != EAGAIN) {
            throw std::system_error(result.error, std::generic_category(), "write (tee)");
        }
        text.remove_prefix(result.size);
    }
    return WaitEnd::notified;
}

}  // namespace

void Exchange::feed(std::shared_ptr<PipeWriterState> writer, std::string_view input) {
    const threading::Guard held(writer->lock());
    if (writer->fd() < 0) return;
    input_ = writer->take_pending(input);
    input_ += writer->end_of_input(input_);
    writer_ = std::move(writer);
}

std::size_t Exchange::collect(std::shared_ptr<PipeReaderState> reader, Listener listener) {
    auto incoming = std::make_unique<Incoming>();
    incoming->reader = std::move(reader);
    incoming->listener = std::move(listener);
    if (incoming->listener.on_line && incoming->listener.text) {
        incoming->decoder.emplace(*incoming->listener.text);
    }
    incoming_.push_back(std::move(incoming));
    return incoming_.size() - 1;
}

void Exchange::start(Incoming& incoming) {
    if (std::exchange(incoming.has_started, true)) return;
    if (incoming.reader->fd() < 0) {
        incoming.is_open = false;
        return;
    }
    incoming.before = incoming.reader->take_pending();
}

/// Somebody may have closed an end between two calls.
void Exchange::forget_closed() {
    for (const auto& each : incoming_) {
        if (each->is_open && each->reader->fd() < 0) each->is_open = false;
    }
    if (writer_ != nullptr && writer_->fd() < 0) close_writer();
}

bool Exchange::prepare(std::vector<os::Watched>& watched) const {
    watched.clear();
    for (const auto& each : incoming_) {
        if (each->is_open) watched.push_back({.fd = each->reader->fd()});
    }
    if (writer_ != nullptr) {
        watched.push_back({.fd = writer_->fd(), .for_input = false, .for_output = true});
    }
    return !watched.empty();
}

WaitEnd Exchange::run(const weft::detail::WaitLimits& limits) {
    // Outlives its lock, which is held.
    const std::shared_ptr<PipeWriterState> writer = writer_;
    std::vector<std::unique_lock<threading::Lock>> held;
    held.reserve(incoming_.size() + 1);
    const auto take = [&](threading::Lock& lock) {
        if (!acquire_within(lock, limits)) return false;
        held.emplace_back(lock, std::adopt_lock);
        return true;
    };
    for (const auto& each : incoming_) {
        if (!take(each->reader->lock())) return WaitEnd::timed_out;
    }
    if (writer_ != nullptr && !take(writer_->lock())) return WaitEnd::timed_out;
    forget_closed();
    for (const auto& each : incoming_) start(*each);
    if (writer_ != nullptr && input_.empty()) close_writer();

    std::vector<os::Watched> watched;
    watched.reserve(incoming_.size() + 1);
    while (prepare(watched)) {
        const WaitEnd end = weft::detail::wait_for_descriptors(watched, limits);
        if (end != WaitEnd::notified) return end;
        std::size_t at = 0;
        for (const auto& each : incoming_) {
            if (!each->is_open || !watched[at++].is_ready) continue;
            const WaitEnd heard = read_once(*each, limits);
            if (heard != WaitEnd::notified) return heard;
        }
        if (writer_ != nullptr && watched[at].is_ready) write_once();
        // A stream that is always ready must not hide Ctrl-C, or that the time is up.
        if (is_interrupted(limits)) return WaitEnd::interrupted;
        if (limits.stop != nullptr && limits.stop->stop_requested()) return WaitEnd::cancelled;
        if (limits.deadline.has_passed() && prepare(watched)) return WaitEnd::timed_out;
    }
    return WaitEnd::notified;
}

WaitEnd Exchange::read_once(Incoming& incoming, const weft::detail::WaitLimits& limits) {
    Capture& into = incoming.listener.is_captured ? incoming.capture : incoming.line_bytes;
    const std::span<char> room = into.room();
    const std::size_t size = incoming.reader->read_raw(room);
    if (size >= kUsualPipe && !std::exchange(incoming.is_large, true)) {
        // The child writes more at once than the pipe holds: fewer switches between the two.
        (void)os::set_pipe_size(incoming.reader->fd(), kLargePipe);
    }
    if (size == 0) {
        incoming.is_open = false;
        incoming.reader->close_locked();
    }
    const std::string_view bytes(room.data(), size);
    if (incoming.listener.is_captured) into.commit(size);
    return hear(incoming, bytes, size == 0, limits);
}

WaitEnd Exchange::hear(Incoming& incoming, std::string_view bytes, bool is_end,
                       const weft::detail::WaitLimits& limits) {
    const Listener& listener = incoming.listener;
    if (!bytes.empty() && listener.tee >= 0) {
        const WaitEnd end = write_all(listener.tee, bytes, limits);
        if (end != WaitEnd::notified) return end;
    }
    if (!bytes.empty() && listener.on_chunk) listener.on_chunk(bytes);
    if (listener.on_line) hear_lines(incoming, bytes, is_end);
    return WaitEnd::notified;
}

void Exchange::hear_lines(Incoming& incoming, std::string_view bytes, bool is_end) const {
    const Listener& listener = incoming.listener;
    std::size_t looked_at = incoming.line.size();  // there is no end of a line in it
    if (incoming.decoder) {
        incoming.decoder->decode(bytes, incoming.line, is_end);
    } else {
        incoming.line += bytes;
    }
    std::size_t begin = 0;
    for (;;) {
        const std::size_t end = incoming.line.find('\n', looked_at);
        if (end == std::string::npos) break;
        listener.on_line(std::string_view(incoming.line).substr(begin, end + 1 - begin));
        begin = looked_at = end + 1;
    }
    incoming.line.erase(0, begin);
    if (is_end && !incoming.line.empty()) {
        const std::string last = std::exchange(incoming.line, {});
        listener.on_line(last);
    }
}

void Exchange::write_once() {
    const std::string_view rest = std::string_view(input_).substr(written_);
    std::size_t most = os::atomic_pipe_write();
    // A terminal cannot be opened a second time, that would make a new one; ours does not block.
    if (rest.size() > most && !nonblocking_ && !writer_->is_terminal()) {
        nonblocking_ = os::reopen_for_nonblocking_writes(writer_->fd());
        if (rest.size() > kUsualPipe) (void)os::set_pipe_size(writer_->fd(), kLargePipe);
    }
    // A pipe that is ready takes a small piece without blocking; a large one could block.
    const int fd = nonblocking_ ? nonblocking_->fd() : writer_->fd();
    if (nonblocking_) most = rest.size();
    const os::Written result = os::write_some(fd, rest.substr(0, most));
    written_ += result.size;
    // A child that reads no more is none of our business. EIO is how a terminal says so.
    const bool is_gone = result.error == EPIPE || (result.error == EIO && writer_->is_terminal());
    if (is_gone || written_ == input_.size()) {
        close_writer();
    } else if (result.error != 0 && result.error != EAGAIN) {
        throw std::system_error(result.error, std::generic_category(), "write to a child");
    }
}

void Exchange::close_writer() noexcept {
    nonblocking_.reset();
    writer_->close_locked();
    writer_.reset();
    input_ = {};
}

std::string Exchange::bytes(std::size_t number) const {
    const Incoming& incoming = *incoming_[number];
    return incoming.before + incoming.bytes + incoming.capture.copy();
}

void Exchange::finish(std::size_t number) {
    Incoming& incoming = *incoming_[number];
    if (incoming.text) return;
    const threading::Guard held(incoming.reader->lock());
    if (incoming.error && incoming.reader->is_text()) std::rethrow_exception(incoming.error);
    if (incoming.bytes.empty()) incoming.bytes = incoming.capture.take();
    try {
        std::string text = incoming.reader->decode_rest(incoming.bytes);
        if (!incoming.before.empty()) text.insert(0, std::exchange(incoming.before, {}));
        incoming.text = std::move(text);
    } catch (const os::ForcedUnwind&) {
        throw;
    } catch (...) {
        // The decoder has gone on, so that a second attempt could find another end.
        incoming.error = std::current_exception();
        throw;
    }
}

std::string Exchange::take_text(std::size_t number) noexcept {
    return *std::exchange(incoming_[number]->text, std::nullopt);
}

}  // namespace weft::subprocess
