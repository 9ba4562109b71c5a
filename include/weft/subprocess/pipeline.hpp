#pragma once

#include <functional>
#include <initializer_list>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <weft/detail/config.hpp>
#include <weft/subprocess/args.hpp>
#include <weft/subprocess/options.hpp>
#include <weft/timeout.hpp>

namespace weft::subprocess {

/// What became of a pipeline.
struct CompletedPipeline {
    std::vector<Args> args = {};        ///< the commands
    int returncode = 0;                 ///< of the last command
    std::vector<int> returncodes = {};  ///< of all
    std::string stdout_ = {};           ///< of the last command; empty if not captured
    std::string stderr_ = {};           ///< of all commands, as it came
    bool has_stdout = false;
    bool has_stderr = false;

    /// Throws CalledProcessError for the last command whose returncode is not zero. A command
    /// before the last that SIGPIPE has killed does not count: its reader had enough.
    WEFT_API void check_returncode() const;
};

/// How a pipeline runs; what has no comment is as in RunOptions.
struct PipelineOptions {
    Redirect stdin_ = {};   ///< of the first command
    Redirect stdout_ = {};  ///< of the last command
    Redirect stderr_ = {};  ///< of every command that has none of its own
    std::optional<std::string> input = std::nullopt;
    bool capture_output = false;
    std::optional<bool> text = std::nullopt;
    std::string encoding = {};
    std::string errors = {};
    bool check = false;
    /// On expiry all commands that still run are killed.
    Timeout timeout = {};
    std::function<void(std::string_view line)> on_stdout_line = {};
    std::function<void(std::string_view line)> on_stderr_line = {};
    std::function<void(std::string_view chunk)> on_stdout_chunk = {};
    std::function<void(std::string_view chunk)> on_stderr_chunk = {};
    int tee_stdout = -1;
    int tee_stderr = -1;
    std::stop_token stop = {};
};

/// Commands of which each reads what the one before writes, as in a shell, but without one.
///
///     auto r = (cmd({"dmesg"}) | cmd({"grep", "hda"})).run({.capture_output = true});
///
/// A plain value: building one starts nothing, and it may be run again and by several threads.
class Pipeline {
public:
    explicit Pipeline(Args args, PopenOptions options = {}) {
        commands_.push_back({std::move(args), std::move(options)});
    }

    /// Both, one after the other.
    [[nodiscard]] friend Pipeline operator|(Pipeline left, Pipeline right) {
        for (Command& each : right.commands_) left.commands_.push_back(std::move(each));
        return left;
    }

    /// Runs all commands at once, and blocks until all have ended and the pipes are closed. Nobody
    /// waits for a reader that is gone: this program keeps no end of the pipes in between.
    ///
    /// Throws what run() throws; a command that cannot be started ends those before it. Throws
    /// `std::invalid_argument` for a command whose own `stdin_` or `stdout_` is in the pipeline's
    /// way.
    WEFT_API CompletedPipeline run(PipelineOptions options = {}) const;

private:
    struct Command {
        Args args;
        PopenOptions options;
    };
    std::vector<Command> commands_;
};

/// One command of a pipeline, with options of its own: `cwd`, `env`, `stderr_` and the like.
[[nodiscard]] inline Pipeline cmd(Args args, PopenOptions options = {}) {
    return Pipeline(std::move(args), std::move(options));
}
[[nodiscard]] inline Pipeline cmd(std::initializer_list<Arg> args, PopenOptions options = {}) {
    return Pipeline(Args(args), std::move(options));
}

}  // namespace weft::subprocess
