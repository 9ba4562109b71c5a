#include <weft/subprocess/pipeline.hpp>

#include <chrono>
#include <cstddef>
#include <memory>
#include <stdexcept>
#include <utility>

#include <weft/subprocess/errors.hpp>

#include "detail/fmt.hpp"
#include "os/descriptor.hpp"
#include "subprocess/child.hpp"
#include "subprocess/exchange.hpp"
#include "subprocess/limits.hpp"
#include "subprocess/plan.hpp"
#include "subprocess/run_parts.hpp"

namespace weft::subprocess {

using weft::detail::Child;
using weft::detail::PipeReaderState;
using weft::detail::WaitEnd;

namespace {

constexpr int kPipeSignal = 13;
constexpr auto kGrace = std::chrono::milliseconds(250);

/// A pipeline that runs. The children before a failure are killed and waited for by whoever ends
/// it: killing comes before the destructors, which wait.
class Running {
public:
    explicit Running(Child::Listeners listeners) : listeners_(std::move(listeners)) {}

    void add(const Args& args, PopenOptions options) {
        children_.push_back(std::make_unique<Child>(args, std::move(options)));
    }
    [[nodiscard]] Child& last() { return *children_.back(); }

    /// One pipe for the errors of all commands.
    [[nodiscard]] int open_errors() {
        if (!errors_) {
            errors_.emplace(os::create_pipe());
            error_reader_ = std::make_shared<PipeReaderState>(
                std::move(errors_->input),
                weft::detail::PipeStyle{.text = listeners_.error_output.text, .buffer_size = 8192});
        }
        return errors_->output.fd();
    }

    /// All are killed before one is waited for.
    void kill_and_wait() noexcept {
        std::size_t killed = 0;
        for (auto& each : children_) {
            // One that is not ours to kill is not waited for: it goes to the end.
            if (each->kill_all()) std::swap(each, children_[killed++]);
        }
        for (std::size_t i = 0; i < killed; ++i) children_[i]->wait_killed();
    }

    void talk(const std::optional<std::string>& input, CompletedPipeline& done, Timeout timeout,
              const std::stop_token& stop) {
        if (errors_) errors_->output.close();
        const weft::detail::WaitLimits limits = limits_of(timeout, &stop);
        std::optional<std::size_t> output;
        std::optional<std::size_t> error_output;
        Exchange exchange;
        if (const auto& reader = last().launched().output) {
            output = exchange.collect(reader, listeners_.output);
        }
        if (error_reader_) error_output = exchange.collect(error_reader_, listeners_.error_output);
        if (const auto& writer = children_.front()->launched().input) {
            exchange.feed(writer, input.value_or(std::string()));
        }
        WaitEnd end = exchange.run(limits);
        for (const auto& each : children_) {
            if (end == WaitEnd::notified) end = each->process().wait(limits);
        }
        if (end == WaitEnd::interrupted) give_grace();
        weft::detail::throw_if_stopped(end);
        if (end == WaitEnd::timed_out) {
            const auto bytes = [&](const std::optional<std::size_t>& number) {
                std::string read = number ? exchange.bytes(*number) : std::string();
                return read.empty() ? std::nullopt : std::optional(std::move(read));
            };
            throw TimeoutExpired(done.args.back(), seconds_of(timeout), bytes(output),
                                 bytes(error_output));
        }
        for (const auto& each : children_) done.returncodes.push_back(*each->process().code());
        done.returncode = done.returncodes.back();
        done.has_stdout = output && listeners_.output.is_captured;
        done.has_stderr = error_output && listeners_.error_output.is_captured;
        if (output) exchange.finish(*output);
        if (error_output) exchange.finish(*error_output);
        if (output) done.stdout_ = exchange.take_text(*output);
        if (error_output) done.stderr_ = exchange.take_text(*error_output);
    }

private:
    /// Ctrl-C has most likely reached the children as well.
    void give_grace() {
        weft::detail::WaitLimits limits = limits_of(kGrace);
        limits.is_interruptible = false;
        for (const auto& each : children_) (void)each->process().wait(limits);
    }

    Child::Listeners listeners_;
    std::vector<std::unique_ptr<Child>> children_;
    std::optional<os::Pipe> errors_;
    std::shared_ptr<PipeReaderState> error_reader_;
};

/// The pipeline's own stream, in the place of a command's that is not given.
void connect(Redirect& own, Redirect& whole, std::size_t number, const char* name) {
    if (whole.is_inherited()) return;
    if (!own.is_inherited()) {
        throw std::invalid_argument(
            fmt::format("command {} of the pipeline has {} of its own, which the pipeline decides",
                        number + 1, name));
    }
    own = std::move(whole);
}

RunOptions run_options_of(PipelineOptions& options) {
    RunOptions result;
    result.stdin_ = std::move(options.stdin_);
    result.stdout_ = std::move(options.stdout_);
    result.stderr_ = std::move(options.stderr_);
    if (options.input) result.input = std::string();
    result.capture_output = options.capture_output;
    result.text = options.text;
    result.encoding = std::move(options.encoding);
    result.errors = std::move(options.errors);
    result.on_stdout_line = std::move(options.on_stdout_line);
    result.on_stderr_line = std::move(options.on_stderr_line);
    result.on_stdout_chunk = std::move(options.on_stdout_chunk);
    result.on_stderr_chunk = std::move(options.on_stderr_chunk);
    result.tee_stdout = options.tee_stdout;
    result.tee_stderr = options.tee_stderr;
    return result;
}

}  // namespace

void CompletedPipeline::check_returncode() const {
    for (std::size_t i = returncodes.size(); i-- > 0;) {
        const bool is_last = i + 1 == returncodes.size();
        if (returncodes[i] == 0 || (!is_last && returncodes[i] == -kPipeSignal)) continue;
        throw CalledProcessError(returncodes[i], args[i],
                                 has_stdout ? std::optional(stdout_) : std::nullopt,
                                 has_stderr ? std::optional(stderr_) : std::nullopt);
    }
}

CompletedPipeline Pipeline::run(PipelineOptions options) const {
    RunOptions run_options = run_options_of(options);
    Prepared prepared = prepare(run_options);
    PopenOptions& whole = prepared.popen;
    if (whole.stderr_.is(PTY)) {
        throw std::invalid_argument("stderr_ of a pipeline cannot be PTY; PIPE can be read");
    }
    if (options.stop.stop_requested()) weft::detail::throw_if_stopped(WaitEnd::cancelled);
    CompletedPipeline done;
    for (const Command& each : commands_) done.args.push_back(each.args);

    Running running(std::move(prepared.listeners));
    try {
        for (std::size_t i = 0; i < commands_.size(); ++i) {
            PopenOptions own = commands_[i].options;
            const bool is_last = i + 1 == commands_.size();
            Redirect input =
                i == 0 ? std::move(whole.stdin_)
                       : Redirect(weft::detail::PipeAccess::make(running.last().launched().output));
            Redirect output = is_last ? std::move(whole.stdout_) : Redirect(PIPE);
            if (own.stderr_.is(PIPE) || own.stderr_.is(PTY)) {
                throw std::invalid_argument(fmt::format(
                    "nobody would read stderr_ of command {} of the pipeline: give the pipeline "
                    "stderr_ = PIPE, or the command a file",
                    i + 1));
            }
            connect(own.stdin_, input, i, "stdin_");
            connect(own.stdout_, output, i, "stdout_");
            if (own.stderr_.is_inherited()) {
                own.stderr_ =
                    whole.stderr_.is(PIPE) ? Redirect(running.open_errors()) : whole.stderr_;
            }
            // What passes between the commands is bytes; the ends are the pipeline's.
            own.text = whole.text;
            own.encoding = whole.encoding;
            own.errors = whole.errors;
            const std::shared_ptr<PipeReaderState> before =
                i == 0 ? nullptr : running.last().launched().output;
            running.add(commands_[i].args, std::move(own));
            // Else the one before would get no SIGPIPE when this one ends early.
            if (before != nullptr) before->close();
        }
        running.talk(options.input, done, options.timeout, options.stop);
    } catch (...) {
        running.kill_and_wait();
        throw;
    }
    if (options.check) done.check_returncode();
    return done;
}

}  // namespace weft::subprocess
