#pragma once

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include <weft/detail/config.hpp>
#include <weft/subprocess/args.hpp>
#include <weft/subprocess/errors.hpp>
#include <weft/subprocess/options.hpp>
#include <weft/subprocess/stream.hpp>
#include <weft/timeout.hpp>

namespace weft::detail {
class Child;
}  // namespace weft::detail

namespace weft::subprocess {

/// False: children are started by fork(), not in borrowed memory. For systems on which the fast way
/// misbehaves; nothing else changes. May be set at any time. Python's `_USE_VFORK`.
WEFT_API extern std::atomic<bool> USE_VFORK;
/// Python's `_USE_POSIX_SPAWN`: false forbids the use of posix_spawn(). Weft has no use for it, so
/// that both values mean the same.
WEFT_API extern std::atomic<bool> USE_POSIX_SPAWN;

/// What communicate() has read; empty for a stream that is no pipe.
struct Output {
    std::string stdout_;
    std::string stderr_;
};

/// What a child has used up, its own children that it has waited for included.
struct ResourceUsage {
    std::chrono::nanoseconds user_time{};
    std::chrono::nanoseconds system_time{};
    std::int64_t max_resident_bytes = 0;
    std::int64_t minor_faults = 0;
    std::int64_t major_faults = 0;
    std::int64_t voluntary_switches = 0;
    std::int64_t involuntary_switches = 0;
};

/// How Popen::stop() ends a child.
struct StopOptions {
    int ask = SIGTERM;                        ///< the signal that asks
    Timeout grace = std::chrono::seconds(5);  ///< how long it may take to obey
};

/// A child process.
///
/// States: running; ended, of which returncode() is told by the first poll(), wait() or
/// communicate() that notices. Every member may be called by any threads at once, but for moves,
/// assignment and the destructor; all callers get the one true status, and a signal never hits
/// another process that got the child's number.
///
///     Popen p({"sort"}, {.stdin_ = PIPE, .stdout_ = PIPE});
///     auto [out, err] = p.communicate("b\na\n");
///
/// Movable, with one owner; one that was moved from can be assigned to or destroyed. The destructor
/// does what leaving Python's `with` does: it closes the pipes and waits for the child (OnDrop
/// chooses something else). While an exception unwinds, or when Ctrl-C is pressed, it waits for a
/// quarter of a second only; a child that still runs then is warned of (ResourceWarning) and left
/// to be reaped by a later start. It never throws. A destructor that waits for the child also lets
/// other threads finish their reads and writes of the pipes; any other one has them throw what a
/// closed pipe throws.
///
/// No signal handler is installed, and none of the program's is disturbed. If somebody else waits
/// for the child (a SIGCHLD that is ignored makes the kernel do so), the status is the true one
/// where the kernel tells it (Linux 6.15), else 0.
///
/// In a child of fork(), a Popen of the parent can be polled; its destructor closes the pipes only.
class WEFT_API Popen {
public:
    /// Starts the child, and blocks until its program runs.
    ///
    /// Throws `std::system_error` when that fails, with the step and the path in the message:
    /// `std::errc::no_such_file_or_directory` for a missing program or folder, `permission_denied`
    /// for one that may not be executed or for a user that may not be taken; `std::out_of_range`
    /// for no arguments at all; `std::invalid_argument` for a NUL byte, a bad name of a variable,
    /// a negative user or group, too large an extra group, a descriptor that is not one, `STDOUT`
    /// for stdout, or an option for Windows; `std::overflow_error` for a user or group that is too
    /// large; weft::KeyError for an unknown one; weft::TypeError for a path with `shell`;
    /// weft::LookupError for an unknown encoding or policy; SubprocessError as said for the
    /// options. Nothing is left behind then: no process, no zombie, no descriptor.
    explicit Popen(Args args, PopenOptions options = {});
    Popen(std::initializer_list<Arg> args, PopenOptions options = {});
    Popen(Popen&& other) noexcept;
    /// Does to the child that was held so far what the destructor does.
    Popen& operator=(Popen&& other) noexcept;
    ~Popen();

    /// The returncode if the child has ended, else nothing. Does not block.
    std::optional<int> poll();

    /// Blocks until the child has ended and returns its returncode: the exit status, or minus the
    /// number of the signal that killed it. Throws TimeoutExpired after `timeout` (zero and
    /// negative limits look once), weft::KeyboardInterrupt on Ctrl-C, after giving the child a
    /// quarter of a second, and weft::Cancelled when `stop` is triggered; the child is untouched.
    /// With a full pipe that nobody reads, the child never ends: use communicate().
    int wait(Timeout timeout = {});
    int wait(std::stop_token stop, Timeout timeout = {});

    /// Writes the input to the child and closes its standard input, reads both its outputs until
    /// they end, and waits for it; all at once, so that nobody waits for the other. A child that
    /// does not read all of its input is no error.
    ///
    /// Throws as wait() does. What was read is kept, and the next call goes on, without an input.
    /// TimeoutExpired carries it as bytes, but for what an earlier read of the stream had decoded
    /// and not handed out. A terminal is given its end-of-file character after the input. Throws
    /// `std::invalid_argument` for an input when the conversation has begun, or when standard input
    /// is no pipe, and for text that cannot be encoded or decoded; in that last case each further
    /// call throws the same, or returns the bytes after set_universal_newlines(false). Called again
    /// after its end it returns the same.
    Output communicate(std::optional<std::string> input = std::nullopt, Timeout timeout = {});
    Output communicate(std::stop_token stop, std::optional<std::string> input = std::nullopt,
                       Timeout timeout = {});

    /// Sends the signal, unless the child has ended. Throws `std::system_error`: a number that is
    /// no signal, a child that is another user's by now.
    void send_signal(int signal);
    /// SIGTERM.
    void terminate();
    /// SIGKILL.
    void kill();

    /// SIGKILL for every process of the group that the child leads, also when it has ended itself
    /// and others of the group go on. Returns false when none is left, or when the child has been
    /// waited for (by anybody) and the kernel (before Linux 6.9) has no safe way to name its group
    /// any more. On such a kernel somebody else must not reap the child during the call. Throws
    /// `std::logic_error` for a child without a group of its own: start it with
    /// `.process_group = 0` or `.start_new_session = true`.
    bool kill_group();
    /// The same with another signal.
    bool signal_group(int signal);

    /// Asks the child to end (its group, if it leads one), waits, and after the grace kills what is
    /// left. Blocks until the child has ended, and returns its returncode. Pipes are not read
    /// meanwhile. On Ctrl-C it kills at once and throws weft::KeyboardInterrupt.
    int stop(StopOptions options = {});

    /// Blocks until the child and all that it has started, directly or not, have ended; returns the
    /// child's returncode. Throws as wait() does, and `std::logic_error` for a child that was
    /// started without `track_family`. A descendant is noticed as long as it keeps the descriptors
    /// that it was started with; one that closes those that it does not know (many daemons do, and
    /// what Python and Weft start) counts as gone. It keeps nothing from ending.
    int wait_for_family(Timeout timeout = {});
    int wait_for_family(std::stop_token stop, Timeout timeout = {});

    /// Closes the pipes and waits for the child, as the destructor does, but throws what closing
    /// `stdin_()` throws (after the wait), and weft::KeyboardInterrupt as wait() does.
    void close();

    /// As given.
    [[nodiscard]] const Args& args() const noexcept;
    /// The ends of the pipes; none for a stream that is not PIPE.
    [[nodiscard]] PipeWriter stdin_() const noexcept;
    [[nodiscard]] PipeReader stdout_() const noexcept;
    [[nodiscard]] PipeReader stderr_() const noexcept;
    /// The process's number; the shell's with `shell`.
    [[nodiscard]] int pid() const noexcept;
    /// What poll(), wait() or communicate() have found; nothing before.
    [[nodiscard]] std::optional<int> returncode() const noexcept;
    /// Whether the pipes carry text.
    [[nodiscard]] bool universal_newlines() const noexcept;
    /// Changes that for what has not been read or written yet. Throws `std::bad_alloc`, and
    /// `std::invalid_argument` when a stream keeps bytes that cannot be decoded; they stay bytes
    /// then.
    void set_universal_newlines(bool text);

    /// A descriptor that becomes readable when the child has ended, for an event loop; poll() then
    /// tells the status. The Popen's own, closed with it; -1 where the system has none.
    [[nodiscard]] int pidfd() const noexcept;
    /// A descriptor that becomes readable when the last of the family is gone, for an event loop;
    /// -1 without `track_family`. The Popen's own.
    [[nodiscard]] int family_fd() const noexcept;
    /// What the child has used up, once it has ended; nothing before, and nothing if somebody else
    /// has waited for it.
    [[nodiscard]] std::optional<ResourceUsage> rusage() const;

    /// `<Popen: returncode: None args: ['ls', '-l']>`, shortened to 80 characters.
    [[nodiscard]] std::string repr() const;

private:
    std::unique_ptr<weft::detail::Child> child_;  ///< null once moved from
};

}  // namespace weft::subprocess
