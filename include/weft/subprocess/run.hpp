#pragma once

#include <string>

#include <weft/detail/config.hpp>
#include <weft/subprocess/args.hpp>
#include <weft/subprocess/errors.hpp>
#include <weft/subprocess/options.hpp>

namespace weft::subprocess {

/// What became of a command.
struct CompletedProcess {
    Args args = {};            ///< as given
    int returncode = 0;        ///< the exit status; minus the signal's number if one killed it
    std::string stdout_ = {};  ///< empty if not captured; both outputs when they are merged
    std::string stderr_ = {};
    bool has_stdout = false;  ///< whether it was captured
    bool has_stderr = false;

    /// Throws CalledProcessError when the returncode is not zero.
    WEFT_API void check_returncode() const;
    /// `CompletedProcess(args=['ls'], returncode=0)`, with the outputs that were captured.
    [[nodiscard]] WEFT_API std::string repr() const;
};

/// Runs a command to its end.
///
///     auto done = run({"git", "log", "-1"}, {.capture_output = true, .check = true, .timeout =
///     10s});
///
/// Blocks until the child has ended and its pipes are closed by everybody who has them; a limit
/// binds in any case. Throws what starting throws (see Popen), TimeoutExpired, CalledProcessError
/// with `check`, weft::Cancelled by the stop token, weft::KeyboardInterrupt on Ctrl-C, and what a
/// callback throws: in each of these cases the child has been killed if it still ran, and has been
/// waited for.
WEFT_API CompletedProcess run(const Args& args, RunOptions options = {});

/// Runs a command and returns its returncode. `input`, `capture_output` and `check` are not for it:
/// weft::TypeError. Do not give it PIPE: nobody would read it, and the child could block for ever.
WEFT_API int call(const Args& args, RunOptions options = {});

/// As call(), but throws CalledProcessError when the returncode is not zero.
WEFT_API int check_call(const Args& args, RunOptions options = {});

/// Runs a command and returns what it wrote to standard output; CalledProcessError, which has it
/// too, when the returncode is not zero. `stdout_` and `check` are not for it:
/// `std::invalid_argument`. Unlike Python, an input that is left out cannot be told from None and
/// means that standard input is inherited.
WEFT_API std::string check_output(const Args& args, RunOptions options = {});

/// Which encoding a shell command's output has, and what to do with what cannot be decoded.
struct TextOptions {
    std::string encoding = {};
    std::string errors = {};
};

/// What getstatusoutput() gives: `auto [status, output] = ...`.
struct StatusOutput {
    int status = 0;
    std::string output;
};

/// Runs a shell command and returns its returncode and what it wrote to both outputs, without the
/// last newline. A command that fails is no error.
WEFT_API StatusOutput getstatusoutput(const std::string& cmd, TextOptions options = {});

/// The output part of getstatusoutput().
WEFT_API std::string getoutput(const std::string& cmd, TextOptions options = {});

}  // namespace weft::subprocess
