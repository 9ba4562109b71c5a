#pragma once

#include <concepts>
#include <csignal>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <initializer_list>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include <weft/detail/config.hpp>
#include <weft/subprocess/env.hpp>
#include <weft/subprocess/redirect.hpp>
#include <weft/subprocess/windows.hpp>
#include <weft/timeout.hpp>

namespace weft::subprocess {

/// A user or a group: nothing, a number, or a name, which is looked up before the child is started.
class Account {
public:
    Account() noexcept = default;
    template <std::integral Number>
        requires(!std::same_as<Number, bool>)
    Account(Number id) : value_(static_cast<std::int64_t>(id)) {
        if constexpr (std::unsigned_integral<Number> && sizeof(Number) >= sizeof(std::int64_t)) {
            // Beyond every system's numbers in any case, and not to be taken for a negative one.
            if (id >> 62U != 0) value_ = std::int64_t{1} << 62U;
        }
    }
    Account(const char* name) : value_(std::string(name)) {}
    Account(std::string name) : value_(std::move(name)) {}

    using Value = std::variant<std::monostate, std::int64_t, std::string>;
    [[nodiscard]] const Value& value() const noexcept { return value_; }
    [[nodiscard]] bool is_none() const noexcept {
        return std::holds_alternative<std::monostate>(value_);
    }

private:
    Value value_;
};

/// A child's supplementary groups: those of this program, or exactly these.
class ExtraGroups {
public:
    /// No groups: takes all away.
    ExtraGroups() = default;
    ExtraGroups(std::initializer_list<Account> groups) : groups_(groups) {}
    explicit ExtraGroups(std::vector<Account> groups) : groups_(std::move(groups)) {}

    [[nodiscard]] static ExtraGroups inherited() {
        ExtraGroups groups;
        groups.is_inherited_ = true;
        return groups;
    }
    [[nodiscard]] bool is_inherited() const noexcept { return is_inherited_; }
    [[nodiscard]] const std::vector<Account>& groups() const noexcept { return groups_; }

private:
    std::vector<Account> groups_;
    bool is_inherited_ = false;
};

/// What the destructor of a Popen does with a child that still runs, after closing the pipes.
enum class OnDrop {
    wait,       ///< waits for it, as Python's `with` does
    reap,       ///< leaves it running; a later start reaps it
    terminate,  ///< SIGTERM (to its group if it leads one), then waits
    kill,       ///< SIGKILL (to its group if it leads one), then waits
};

/// How a child is started; every member may be left out. The order is Python's where it has one.
struct PopenOptions {
    /// What the child reads as standard input, and writes to as its outputs.
    Redirect stdin_ = {};
    Redirect stdout_ = {};
    Redirect stderr_ = {};  ///< STDOUT as well
    /// True: pipes carry text in UTF-8 here, with "\n" at the ends of lines.
    std::optional<bool> text = std::nullopt;
    /// The child's encoding (any that iconv knows, under Python's names too); turns text mode on.
    /// Unlike Python, it is UTF-8 when left out, whatever the locale.
    std::string encoding = {};
    /// What is done with what cannot be decoded or encoded: strict, ignore, replace,
    /// backslashreplace, surrogateescape, xmlcharrefreplace (input only). Turns text mode on.
    std::string errors = {};
    /// True: the command is a script for `/bin/sh -c`.
    bool shell = false;
    /// The child's working folder.
    std::optional<std::filesystem::path> cwd = std::nullopt;
    Env env = Env::inherited();
    /// Of the pipes' ends here: 0 none, 1 by lines in text mode, more a size, negative or nothing
    /// the usual size.
    std::optional<int> bufsize = -1;
    /// The program to execute, when the child is to see another name as its first argument. With
    /// `shell`, the shell.
    std::optional<std::filesystem::path> executable = std::nullopt;
    /// Called in the child just before the program is executed; what it throws becomes a
    /// SubprocessError here. Forces fork(), which costs time in proportion to this program's
    /// memory. Dangerous: of the program's threads only this one exists in the child, and every
    /// lock that another one held stays held, those of malloc included if it is not glibc's.
    /// Allowed is what is allowed in a signal handler. There is an option for nearly everything one
    /// would want to do.
    std::function<void()> preexec_fn = {};
    /// True: the child gets no descriptor above 2 but `pass_fds`. False: those that are not
    /// close-on-exec.
    bool close_fds = true;
    /// The older name of `text`; SubprocessError when both are given and disagree.
    std::optional<bool> universal_newlines = std::nullopt;
    std::optional<STARTUPINFO_> startupinfo = std::nullopt;  ///< Windows only
    unsigned creationflags = 0;                              ///< Windows only
    /// True: SIGPIPE and SIGXFSZ, if this program ignores them, have their default action.
    bool restore_signals = true;
    /// True: the child calls setsid().
    bool start_new_session = false;
    /// Descriptors that stay open in the child, under their numbers; turns `close_fds` on.
    std::vector<int> pass_fds = {};
    Account group = {};
    ExtraGroups extra_groups = ExtraGroups::inherited();
    /// Does not change the groups.
    Account user = {};
    int umask = -1;  ///< negative: as here
    /// The size of the kernel's buffer of each new pipe; negative: the system's.
    int pipesize = -1;
    /// The process group that the child joins; 0: a new one, which it leads.
    std::optional<int> process_group = std::nullopt;

    // What Python does not have.

    /// True: the child is killed (SIGKILL) when this program ends, however it ends. Holds for the
    /// child, not for its own children, and not for a program with set-user-ID.
    bool die_with_parent = false;
    OnDrop on_drop = OnDrop::wait;
    /// True: Popen::wait_for_family() can tell when the last descendant is gone. The child then has
    /// one more descriptor, the end of a pipe, which its own children inherit.
    bool track_family = false;
};

/// How run() and its older relatives start a child and talk to it. What has no comment is as in
/// PopenOptions.
struct RunOptions {
    Redirect stdin_ = {};
    Redirect stdout_ = {};
    Redirect stderr_ = {};
    /// Given to the child as standard input, which then ends. `std::invalid_argument` together
    /// with `stdin_`. Nothing: the child reads what this program would.
    std::optional<std::string> input = std::nullopt;
    /// True: both outputs are captured. `std::invalid_argument` together with `stdout_` or
    /// `stderr_`.
    bool capture_output = false;
    std::optional<bool> text = std::nullopt;
    std::string encoding = {};
    std::string errors = {};
    bool shell = false;
    /// True: CalledProcessError if the returncode is not zero.
    bool check = false;
    /// From the time at which the child runs. On expiry it is killed (its group, if it leads one)
    /// and waited for, and TimeoutExpired has what it wrote.
    Timeout timeout = {};
    std::optional<std::filesystem::path> cwd = std::nullopt;
    Env env = Env::inherited();
    std::optional<int> bufsize = -1;
    std::optional<std::filesystem::path> executable = std::nullopt;
    std::function<void()> preexec_fn = {};
    bool close_fds = true;
    std::optional<bool> universal_newlines = std::nullopt;
    std::optional<STARTUPINFO_> startupinfo = std::nullopt;
    unsigned creationflags = 0;
    bool restore_signals = true;
    bool start_new_session = false;
    std::vector<int> pass_fds = {};
    Account group = {};
    ExtraGroups extra_groups = ExtraGroups::inherited();
    Account user = {};
    int umask = -1;
    int pipesize = -1;
    std::optional<int> process_group = std::nullopt;
    bool die_with_parent = false;

    /// Called with each line as it comes, its end included, on the calling thread; the stream is
    /// then a pipe, unless it is given (`std::invalid_argument` for anything but PIPE and PTY). In
    /// text mode the line is decoded. What it throws kills the child and leaves run().
    std::function<void(std::string_view line)> on_stdout_line = {};
    std::function<void(std::string_view line)> on_stderr_line = {};
    /// The same with each piece as it is read, not decoded.
    std::function<void(std::string_view chunk)> on_stdout_chunk = {};
    std::function<void(std::string_view chunk)> on_stderr_chunk = {};
    /// A descriptor to which what is read is written as well, as it comes; negative: none. The
    /// stream is then a pipe, unless it is given.
    int tee_stdout = -1;
    int tee_stderr = -1;
    /// Triggered: the child is killed (its group, if it leads one) and waited for, and
    /// weft::Cancelled is thrown. Triggered before: nothing is started.
    std::stop_token stop = {};
};

}  // namespace weft::subprocess
