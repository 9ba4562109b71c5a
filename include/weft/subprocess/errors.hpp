#pragma once

#include <memory>
#include <optional>
#include <string>

#include <weft/detail/config.hpp>
#include <weft/errors.hpp>
#include <weft/subprocess/args.hpp>

namespace weft::detail {
struct FailedCommand;
}  // namespace weft::detail

namespace weft::subprocess {

/// The base of this module's exceptions. Thrown itself for a `preexec_fn` that failed and for
/// `text` and `universal_newlines` that disagree.
///
/// A child that cannot be started is a `std::system_error` with the system's code: a missing
/// program or folder is `std::errc::no_such_file_or_directory`, one that may not be executed
/// `std::errc::permission_denied`. Its message has the step that failed and the path.
class WEFT_API SubprocessError : public Exception {
public:
    using Exception::Exception;
    ~SubprocessError() override;
};

/// A child did not end, or a conversation with it did not, within its limit. The child is not
/// touched by that. Copies share what they carry.
class WEFT_API TimeoutExpired : public SubprocessError {
public:
    TimeoutExpired(Args cmd, double timeout, std::optional<std::string> output = std::nullopt,
                   std::optional<std::string> stderr_output = std::nullopt);
    ~TimeoutExpired() override;

    /// The command that was started.
    [[nodiscard]] const Args& cmd() const noexcept;
    /// The limit, in seconds.
    [[nodiscard]] double timeout() const noexcept;
    /// What was read so far: bytes, not decoded, also in text mode; nothing when nothing was.
    [[nodiscard]] const std::optional<std::string>& output() const noexcept;
    /// The same as output().
    [[nodiscard]] const std::optional<std::string>& stdout_() const noexcept { return output(); }
    [[nodiscard]] const std::optional<std::string>& stderr_() const noexcept;

    void set_output(std::optional<std::string> output);
    void set_stdout(std::optional<std::string> output) { set_output(std::move(output)); }
    void set_stderr(std::optional<std::string> output);

private:
    std::shared_ptr<const weft::detail::FailedCommand> command_;  ///< never null
};

/// A command that was to be checked has failed.
class WEFT_API CalledProcessError : public SubprocessError {
public:
    CalledProcessError(int returncode, Args cmd, std::optional<std::string> output = std::nullopt,
                       std::optional<std::string> stderr_output = std::nullopt);
    ~CalledProcessError() override;

    /// The exit status; minus the signal's number for a child that a signal has killed.
    [[nodiscard]] int returncode() const noexcept;
    [[nodiscard]] const Args& cmd() const noexcept;
    /// What was captured, decoded in text mode; nothing when it was not captured.
    [[nodiscard]] const std::optional<std::string>& output() const noexcept;
    /// The same as output().
    [[nodiscard]] const std::optional<std::string>& stdout_() const noexcept { return output(); }
    [[nodiscard]] const std::optional<std::string>& stderr_() const noexcept;

    void set_output(std::optional<std::string> output);
    void set_stdout(std::optional<std::string> output) { set_output(std::move(output)); }
    void set_stderr(std::optional<std::string> output);

private:
    std::shared_ptr<const weft::detail::FailedCommand> command_;  ///< never null
};

}  // namespace weft::subprocess
