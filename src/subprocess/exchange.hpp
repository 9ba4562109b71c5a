#pragma once

#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <weft/detail/wait_list.hpp>

#include "os/descriptor.hpp"
#include "os/posix/poll.hpp"
#include "subprocess/capture.hpp"
#include "subprocess/codec.hpp"
#include "subprocess/pipe_state.hpp"

namespace weft::subprocess {

/// What is done with an output besides closing it at its end.
struct Listener {
    bool is_captured = true;
    std::function<void(std::string_view)> on_line{};
    std::function<void(std::string_view)> on_chunk{};
    int tee = -1;
    /// For on_line in text mode; a decoder of its own, since what is captured is decoded at the
    /// end.
    std::optional<TextFormat> text{};
};

/// A conversation with one child, or with the two ends of a pipeline: one loop that writes the
/// input and reads all outputs at once, so that nobody waits for the other.
///
///     being set up --run()--> under way --(all streams ended)--> done
///                                ^   |
///                                +---+ a limit ends run(); what was read is kept, run() goes on
///
/// The streams' locks are held during run() only. Ends are closed as they end, those for reading
/// at their end, the one for writing when all is written or nobody reads it any more.
class Exchange {
public:
    /// Gives this to the child and then closes the end. At most once, before run().
    void feed(std::shared_ptr<weft::detail::PipeWriterState> writer, std::string_view input);
    /// Reads that until its end. Returns its number.
    std::size_t collect(std::shared_ptr<weft::detail::PipeReaderState> reader, Listener listener);

    /// Goes on until all streams have ended (`notified`) or a limit ends it. Throws what the
    /// listeners throw, and `std::system_error`.
    weft::detail::WaitEnd run(const weft::detail::WaitLimits& limits);

    /// What was read of an output so far, as bytes; what had been read before this conversation
    /// and not handed out comes first, as it was kept: decoded in text mode.
    [[nodiscard]] std::string bytes(std::size_t number) const;
    /// Decodes the whole of it in text mode, after the end. When that fails nothing is lost: each
    /// further call throws the same, or, if the stream is no longer in text mode, has the bytes.
    void finish(std::size_t number);
    /// What finish() has made. Once.
    [[nodiscard]] std::string take_text(std::size_t number) noexcept;

private:
    struct Incoming {
        std::shared_ptr<weft::detail::PipeReaderState> reader;
        Listener listener;
        std::string before{};  ///< what had been read and not handed out
        Capture capture{};
        Capture line_bytes{};              ///< where reads go that are not captured
        std::optional<Decoder> decoder{};  ///< of the lines
        std::string line{};                ///< the beginning of one
        std::string bytes{};               ///< what the capture has given at the end
        std::exception_ptr error{};        ///< why they cannot be decoded
        std::optional<std::string> text{};
        bool has_started = false;
        bool is_large = false;  ///< the pipe's buffer has been enlarged
        bool is_open = true;
    };

    void start(Incoming& incoming);
    void write_once();
    void close_writer() noexcept;
    [[nodiscard]] weft::detail::WaitEnd read_once(Incoming& incoming,
                                                  const weft::detail::WaitLimits& limits);
    [[nodiscard]] weft::detail::WaitEnd hear(Incoming& incoming, std::string_view bytes,
                                             bool is_end, const weft::detail::WaitLimits& limits);
    void hear_lines(Incoming& incoming, std::string_view bytes, bool is_end) const;
    [[nodiscard]] bool prepare(std::vector<os::Watched>& watched) const;
    void forget_closed();

    std::shared_ptr<weft::detail::PipeWriterState> writer_;
    std::string input_;
    std::size_t written_ = 0;
    std::optional<os::Descriptor> nonblocking_;  ///< another description of the writer's pipe
    std::vector<std::unique_ptr<Incoming>> incoming_;
};

}  // namespace weft::subprocess
