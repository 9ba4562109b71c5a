#include <weft/subprocess/run.hpp>

#include <stdexcept>
#include <utility>

#include <weft/errors.hpp>

#include "detail/fmt.hpp"
#include "subprocess/child.hpp"
#include "subprocess/plan.hpp"
#include "subprocess/python_text.hpp"
#include "subprocess/run_parts.hpp"

namespace weft::subprocess {

using weft::detail::Child;
using weft::detail::WaitEnd;

namespace {

void refuse(bool is_given, const char* name, const char* function) {
    if (is_given) {
        throw TypeError(fmt::format("{}() takes no '{}'; use run()", function, name));
    }
}

/// Nothing comes by here of what goes elsewhere.
void refuse_to_listen(const Listener& listener, const Redirect& stream, const char* name) {
    if (!Child::listens(listener) || stream.is(PIPE) || stream.is(PTY)) return;
    throw std::invalid_argument(fmt::format(
        "on_{0}_line, on_{0}_chunk and tee_{0} need {0}_ to be PIPE, PTY or left out", name));
}

/// What run() and its relatives share: the child is dead and waited for, whatever happens.
template <class Talk>
auto with_child(const Args& args, RunOptions& options, Talk talk) {
    if (options.stop.stop_requested()) weft::detail::throw_if_stopped(WaitEnd::cancelled);
    Prepared prepared = prepare(options);
    Child child(args, std::move(prepared.popen));
    child.set_listeners(std::move(prepared.listeners));
    try {
        return talk(child);
    } catch (...) {
        child.kill_and_wait();
        throw;
    }
}

int call_named(const char* function, const Args& args, RunOptions& options) {
    refuse(options.input.has_value(), "input", function);
    refuse(options.capture_output, "capture_output", function);
    refuse(options.check, "check", function);
    const Timeout timeout = options.timeout;
    const std::stop_token stop = options.stop;
    return with_child(args, options, [&](Child& child) {
        if (child.has_listeners()) (void)child.communicate_once(std::nullopt, timeout, &stop);
        return child.wait(timeout, &stop);
    });
}

}  // namespace

Prepared prepare(RunOptions& options) {
    if (options.input && !options.stdin_.is_inherited()) {
        throw std::invalid_argument("stdin and input arguments may not both be used.");
    }
    if (options.capture_output &&
        !(options.stdout_.is_inherited() && options.stderr_.is_inherited())) {
        throw std::invalid_argument(
            "stdout and stderr arguments may not be used with capture_output.");
    }
    Prepared result;
    Listener& output = result.listeners.output;
    Listener& error_output = result.listeners.error_output;
    output.is_captured = options.capture_output || !options.stdout_.is_inherited();
    error_output.is_captured = options.capture_output || !options.stderr_.is_inherited();
    output.on_line = std::move(options.on_stdout_line);
    output.on_chunk = std::move(options.on_stdout_chunk);
    output.tee = options.tee_stdout;
    error_output.on_line = std::move(options.on_stderr_line);
    error_output.on_chunk = std::move(options.on_stderr_chunk);
    error_output.tee = options.tee_stderr;
    output.text = error_output.text =
        text_format_of(options.text, options.universal_newlines, options.encoding, options.errors);

    if (options.input) options.stdin_ = PIPE;
    const bool needs_output = options.capture_output || Child::listens(output);
    const bool needs_error_output = options.capture_output || Child::listens(error_output);
    if (needs_output && options.stdout_.is_inherited()) options.stdout_ = PIPE;
    if (needs_error_output && options.stderr_.is_inherited()) options.stderr_ = PIPE;
    refuse_to_listen(output, options.stdout_, "stdout");
    refuse_to_listen(error_output, options.stderr_, "stderr");

    result.popen = {.stdin_ = std::move(options.stdin_),
                    .stdout_ = std::move(options.stdout_),
                    .stderr_ = std::move(options.stderr_),
                    .text = options.text,
                    .encoding = std::move(options.encoding),
                    .errors = std::move(options.errors),
                    .shell = options.shell,
                    .cwd = std::move(options.cwd),
                    .env = std::move(options.env),
                    .bufsize = options.bufsize,
                    .executable = std::move(options.executable),
                    .preexec_fn = std::move(options.preexec_fn),
                    .close_fds = options.close_fds,
                    .universal_newlines = options.universal_newlines,
                    .startupinfo = std::move(options.startupinfo),
                    .creationflags = options.creationflags,
                    .restore_signals = options.restore_signals,
                    .start_new_session = options.start_new_session,
                    .pass_fds = std::move(options.pass_fds),
                    .group = std::move(options.group),
                    .extra_groups = std::move(options.extra_groups),
                    .user = std::move(options.user),
                    .umask = options.umask,
                    .pipesize = options.pipesize,
                    .process_group = options.process_group,
                    .die_with_parent = options.die_with_parent,
                    .on_drop = OnDrop::wait,
                    .track_family = false};
    return result;
}

// CompletedProcess
// ---------------------------------------------------------------------------------

void CompletedProcess::check_returncode() const {
    if (returncode == 0) return;
    throw CalledProcessError(returncode, args, has_stdout ? std::optional(stdout_) : std::nullopt,
                             has_stderr ? std::optional(stderr_) : std::nullopt);
}

std::string CompletedProcess::repr() const {
    std::string text =
        fmt::format("CompletedProcess(args={}, returncode={}", args.repr(), returncode);
    if (has_stdout) text += fmt::format(", stdout={}", python_repr(stdout_));
    if (has_stderr) text += fmt::format(", stderr={}", python_repr(stderr_));
    return text + ")";
}

// The functions
// ------------------------------------------------------------------------------------

CompletedProcess run(const Args& args, RunOptions options) {
    const bool is_checked = options.check;
    const Timeout timeout = options.timeout;
    const std::stop_token stop = options.stop;
    const std::optional<std::string> input = std::move(options.input);
    if (input) options.input = std::string();
    CompletedProcess done = with_child(args, options, [&](Child& child) {
        Output output = child.communicate_once(input, timeout, &stop);
        return CompletedProcess{.args = args,
                                .returncode = *child.process().code(),
                                .stdout_ = std::move(output.stdout_),
                                .stderr_ = std::move(output.stderr_),
                                .has_stdout = child.captures_output(),
                                .has_stderr = child.captures_error_output()};
    });
    if (is_checked) done.check_returncode();
    return done;
}

int call(const Args& args, RunOptions options) {
    return call_named("call", args, options);
}

int check_call(const Args& args, RunOptions options) {
    const int returncode = call_named("check_call", args, options);
    if (returncode != 0) throw CalledProcessError(returncode, args);
    return returncode;
}

std::string check_output(const Args& args, RunOptions options) {
    if (!options.stdout_.is_inherited()) {
        throw std::invalid_argument("stdout argument not allowed, it will be overridden.");
    }
    if (options.check) {
        throw std::invalid_argument("check argument not allowed, it will be overridden.");
    }
    if (options.capture_output) {
        throw std::invalid_argument(
            "check_output captures standard output only; with capture_output use run()");
    }
    options.stdout_ = PIPE;
    options.check = true;
    return run(args, std::move(options)).stdout_;
}

StatusOutput getstatusoutput(const std::string& cmd, TextOptions options) {
    CompletedProcess done = run(cmd, {.stdout_ = PIPE,
                                      .stderr_ = STDOUT,
                                      .text = true,
                                      .encoding = std::move(options.encoding),
                                      .errors = std::move(options.errors),
                                      .shell = true});
    if (done.stdout_.ends_with('\n')) done.stdout_.pop_back();
    return {.status = done.returncode, .output = std::move(done.stdout_)};
}

std::string getoutput(const std::string& cmd, TextOptions options) {
    return getstatusoutput(cmd, std::move(options)).output;
}

}  // namespace weft::subprocess
