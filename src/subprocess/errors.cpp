#include <weft/subprocess/errors.hpp>

#include <utility>

#include "detail/fmt.hpp"
#include "os/signal_names.hpp"

namespace weft::detail {

struct FailedCommand {
    subprocess::Args cmd;
    double timeout = 0;
    int returncode = 0;
    std::optional<std::string> output;
    std::optional<std::string> error_output;
};

}  // namespace weft::detail

namespace weft::subprocess {

using weft::detail::FailedCommand;

namespace {

/// A number of seconds as Python writes it: 5 for an integer, 0.5 for a fraction.
std::string text_of(double seconds) {
    return fmt::format("{}", seconds);
}

std::string text_of_end(int returncode, const Args& cmd) {
    const std::string command = cmd.repr();
    // A text stands as it is within the quotation marks, a list as a list.
    const std::string shown = cmd.is_list() ? command : cmd[0].text();
    if (returncode >= 0) {
        return fmt::format("Command '{}' returned non-zero exit status {}.", shown, returncode);
    }
    const char* name = os::signal_name(-returncode);
    if (name == nullptr) {
        return fmt::format("Command '{}' died with unknown signal {}.", shown, -returncode);
    }
    return fmt::format("Command '{}' died with <Signals.{}: {}>.", shown, name, -returncode);
}

/// Copies share it, so that a change is one of this copy alone.
template <class Change>
void change(std::shared_ptr<const FailedCommand>& command, Change apply) {
    auto copy = std::make_shared<FailedCommand>(*command);
    apply(*copy);
    command = std::move(copy);
}

}  // namespace

SubprocessError::~SubprocessError() = default;

TimeoutExpired::TimeoutExpired(Args cmd, double timeout, std::optional<std::string> output,
                               std::optional<std::string> stderr_output)
    : SubprocessError(fmt::format("Command '{}' timed out after {} seconds",
                                  cmd.is_list() ? cmd.repr() : cmd[0].text(), text_of(timeout))),
      command_(std::make_shared<const FailedCommand>(
          FailedCommand{.cmd = std::move(cmd),
                        .timeout = timeout,
                        .returncode = 0,
                        .output = std::move(output),
                        .error_output = std::move(stderr_output)})) {}

TimeoutExpired::~TimeoutExpired() = default;

const Args& TimeoutExpired::cmd() const noexcept {
    return command_->cmd;
}

double TimeoutExpired::timeout() const noexcept {
    return command_->timeout;
}

const std::optional<std::string>& TimeoutExpired::output() const noexcept {
    return command_->output;
}

const std::optional<std::string>& TimeoutExpired::stderr_() const noexcept {
    return command_->error_output;
}

void TimeoutExpired::set_output(std::optional<std::string> output) {
    change(command_, [&](FailedCommand& command) { command.output = std::move(output); });
}

void TimeoutExpired::set_stderr(std::optional<std::string> output) {
    change(command_, [&](FailedCommand& command) { command.error_output = std::move(output); });
}

CalledProcessError::CalledProcessError(int returncode, Args cmd, std::optional<std::string> output,
                                       std::optional<std::string> stderr_output)
    : SubprocessError(text_of_end(returncode, cmd)),
      command_(std::make_shared<const FailedCommand>(
          FailedCommand{.cmd = std::move(cmd),
                        .timeout = 0,
                        .returncode = returncode,
                        .output = std::move(output),
                        .error_output = std::move(stderr_output)})) {}

CalledProcessError::~CalledProcessError() = default;

int CalledProcessError::returncode() const noexcept {
    return command_->returncode;
}

const Args& CalledProcessError::cmd() const noexcept {
    return command_->cmd;
}

const std::optional<std::string>& CalledProcessError::output() const noexcept {
    return command_->output;
}

const std::optional<std::string>& CalledProcessError::stderr_() const noexcept {
    return command_->error_output;
}

void CalledProcessError::set_output(std::optional<std::string> output) {
    change(command_, [&](FailedCommand& command) { command.output = std::move(output); });
}

void CalledProcessError::set_stderr(std::optional<std::string> output) {
    change(command_, [&](FailedCommand& command) { command.error_output = std::move(output); });
}

}  // namespace weft::subprocess
