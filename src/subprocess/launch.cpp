#include "subprocess/launch.hpp"

#include <array>
#include <cerrno>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>
#include <variant>

#include <weft/subprocess/popen.hpp>

#include "detail/fmt.hpp"
#include "os/descriptor.hpp"
#include "os/terminal.hpp"
#include "subprocess/keeper.hpp"
#include "subprocess/plan.hpp"

namespace weft::subprocess {

using weft::detail::PipeReaderState;
using weft::detail::PipeStyle;
using weft::detail::PipeWriterState;

namespace {

constexpr int kUsualBuffer = 8192;
constexpr std::array kStreamNames = {"stdin_", "stdout_", "stderr_"};

/// Both ends of the child's three streams. What is owned here is closed when it goes: the child's
/// ends after the start, ours if the start fails.
class Streams {
public:
    explicit Streams(const PopenOptions& options) : pipe_size_(options.pipesize) {
        open(0, options.stdin_);
        open(1, options.stdout_);
        open(2, options.stderr_);
    }

    [[nodiscard]] const std::array<int, 3>& child_ends() const noexcept { return child_ends_; }
    [[nodiscard]] os::Descriptor take_ours(std::size_t stream) noexcept {
        return std::move(ours_[stream]);
    }
    [[nodiscard]] bool is_terminal(std::size_t stream) const noexcept {
        return is_terminal_[stream];
    }
    [[nodiscard]] os::Descriptor take_terminal() noexcept { return std::move(terminal_.ours); }
    [[nodiscard]] bool has_terminal() const noexcept { return bool(terminal_.theirs); }

private:
    void open(std::size_t stream, const Redirect& redirect) {
        const bool is_input = stream == 0;
        std::visit([&](const auto& target) { use(stream, is_input, target); }, redirect.target());
    }

    void use(std::size_t, bool, std::monostate) {}

    void use(std::size_t stream, bool is_input, Special special) {
        switch (special) {
            case Special::pipe: {
                os::Pipe pipe = os::create_pipe(pipe_size_);
                ours_[stream] = std::move(is_input ? pipe.output : pipe.input);
                keep(stream, std::move(is_input ? pipe.input : pipe.output));
                return;
            }
            case Special::devnull:
                keep(stream, os::open_file("/dev/null", os::OpenMode::reading_and_writing));
                return;
            case Special::pty: {
                if (!terminal_.theirs) terminal_ = os::open_terminal();
                child_ends_[stream] = terminal_.theirs.fd();
                is_terminal_[stream] = true;
                // One reader is enough: what the child writes to either is one stream.
                if (stream < 2 || !is_terminal_[1])
                    ours_[stream] = os::duplicate(terminal_.ours.fd());
                return;
            }
            case Special::stdout_:
                break;
        }
        if (stream != 2) {
            throw std::invalid_argument(fmt::format(
                "STDOUT can only be used for stderr_, not for {}", kStreamNames[stream]));
        }
        // Where stdout goes, which may be this program's own.
        child_ends_[2] = child_ends_[1] >= 0 ? child_ends_[1] : 1;
    }

    void use(std::size_t stream, bool, int fd) {
        if (fd < 0) {
            throw std::invalid_argument(
                fmt::format("{}: {} is no descriptor", kStreamNames[stream], fd));
        }
        if (!os::is_open(fd)) {
            throw std::system_error(
                EBADF, std::generic_category(),
                fmt::format("{}: descriptor {} is not open", kStreamNames[stream], fd));
        }
        child_ends_[stream] = fd;
    }

    void use(std::size_t stream, bool, std::FILE* file) {
        child_ends_[stream] = os::descriptor_of(file);
    }

    void use(std::size_t stream, bool is_input, const Redirect::File& file) {
        if (file.path.find('\0') != std::string::npos) {
            throw std::invalid_argument(
                fmt::format("{}: embedded null byte in a path", kStreamNames[stream]));
        }
        const os::OpenMode mode = is_input           ? os::OpenMode::reading
                                  : file.is_appended ? os::OpenMode::appending
                                                     : os::OpenMode::writing_anew;
        keep(stream, os::open_file(file.path.c_str(), mode));
    }

    void use(std::size_t stream, bool is_input, const PipeReader& reader) {
        use_end(stream, is_input, reader.fileno());
    }

    void use(std::size_t stream, bool is_input, const PipeWriter& writer) {
        use_end(stream, is_input, writer.fileno());
    }

    void use_end(std::size_t stream, bool is_input, int fd) {
        if (fd < 0) {
            throw std::invalid_argument(
                fmt::format("{}: the other child's pipe is closed here", kStreamNames[stream]));
        }
        use(stream, is_input, fd);
    }

    void keep(std::size_t stream, os::Descriptor theirs) noexcept {
        child_ends_[stream] = theirs.fd();
        theirs_[stream] = std::move(theirs);
    }

    int pipe_size_;
    std::array<int, 3> child_ends_{-1, -1, -1};
    std::array<os::Descriptor, 3> theirs_;
    std::array<os::Descriptor, 3> ours_;
    std::array<bool, 3> is_terminal_{};
    os::Terminal terminal_;
};

PipeStyle style_of(const PopenOptions& options, const std::optional<TextFormat>& text) {
    PipeStyle style{
        .text = text, .buffer_size = options.bufsize.value_or(-1), .is_by_lines = false};
    if (style.buffer_size == 1) {
        style.is_by_lines = text.has_value();
        style.buffer_size = kUsualBuffer;
    }
    if (style.buffer_size < 0) style.buffer_size = kUsualBuffer;
    return style;
}

os::Spawned start(const os::SpawnPlan& plan) {
    if (plan.death_signal != 0) return spawn_from_keeper(plan);
    return os::spawn(plan);
}

}  // namespace

std::atomic<bool> USE_VFORK{true};
std::atomic<bool> USE_POSIX_SPAWN{true};

Launched launch(const Args& args, const PopenOptions& options) {
    reap_left_children();
    Plan plan(args, options);
    Streams streams(options);
    os::SpawnPlan& spawn_plan = plan.spawn_plan();
    spawn_plan.standard = streams.child_ends();
    spawn_plan.may_share_memory = USE_VFORK.load(std::memory_order_relaxed);
    if (streams.has_terminal()) {
        spawn_plan.starts_session = true;
        spawn_plan.terminal = streams.is_terminal(0) ? 0 : streams.is_terminal(1) ? 1 : 2;
    }
    // All memory that is needed once the child runs: it could not be told of a failure any more.
    Launched launched;
    launched.text = plan.text();
    const auto style = [&](std::size_t stream) {
        PipeStyle result = style_of(options, plan.text());
        result.is_terminal = streams.is_terminal(stream);
        return result;
    };
    if (os::Descriptor end = streams.take_ours(0)) {
        launched.input = std::make_shared<PipeWriterState>(std::move(end), style(0));
    }
    if (os::Descriptor end = streams.take_ours(1)) {
        launched.output = std::make_shared<PipeReaderState>(std::move(end), style(1));
    }
    if (os::Descriptor end = streams.take_ours(2)) {
        launched.error_output = std::make_shared<PipeReaderState>(std::move(end), style(2));
    }
    launched.terminal = streams.take_terminal();
    os::Descriptor family_end;  // the child's copy of it is the one that counts
    if (options.track_family) {
        os::Pipe family = os::create_pipe();
        plan.keep(family.output.fd());
        launched.family = std::move(family.input);
        family_end = std::move(family.output);
    }
    const bool leads_group =
        spawn_plan.starts_session || (options.process_group && *options.process_group == 0);
    void* const room = ::operator new(sizeof(ChildProcess));
    os::Spawned spawned;
    try {
        spawned = start(spawn_plan);
        if (spawned.failed_step != os::SpawnStep::none) plan.throw_failure(spawned);
    } catch (...) {
        ::operator delete(room);
        throw;
    }
    launched.process.reset(new (room)
                               ChildProcess(spawned.pid, std::move(spawned.pidfd), leads_group));
    return launched;
}

}  // namespace weft::subprocess
