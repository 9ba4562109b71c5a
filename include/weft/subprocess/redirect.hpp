#pragma once

#include <cstdio>
#include <filesystem>
#include <string>
#include <utility>
#include <variant>

#include <weft/detail/config.hpp>
#include <weft/subprocess/stream.hpp>

namespace weft::subprocess {

/// What a stream can be besides a file: PIPE, STDOUT, DEVNULL and PTY, with Python's numbers.
enum class Special : int {
    pipe = -1,
    stdout_ = -2,
    devnull = -3,
    pty = -4,
};

/// A new pipe, whose other end is the Popen's.
inline constexpr Special PIPE = Special::pipe;
/// For `stderr_` alone: where `stdout_` goes, in the order in which the child writes.
inline constexpr Special STDOUT = Special::stdout_;
/// The null device: nothing to read, and nobody reads what is written.
inline constexpr Special DEVNULL = Special::devnull;
/// A new terminal: programs that look whether they talk to a person believe so. All streams of a
/// child that say PTY are one terminal, which becomes the controlling one of a session of its own.
/// Its other end is Popen::stdin_() for writing and stdout_() (or stderr_(), if stdout_ is
/// something else) for reading. Python has it in another module.
inline constexpr Special PTY = Special::pty;

/// Where one of a child's standard streams comes from or goes to.
///
///     {}                    as this program's own
///     PIPE, DEVNULL, STDOUT, PTY
///     3                     a descriptor of this program
///     "out.txt"             a file: read from (stdin), or written anew (stdout, stderr)
///     Redirect::append("log")
///     file                  a std::FILE*; flush it first
///     p.stdout_()           the end of another child's pipe
///
/// Descriptors, C files and pipe ends stay open here, and are looked at when the child is started.
class Redirect {
public:
    /// A file to be opened when the child is started.
    struct File {
        std::string path;
        bool is_appended = false;
    };
    using Target =
        std::variant<std::monostate, Special, int, std::FILE*, File, PipeReader, PipeWriter>;

    Redirect() noexcept = default;
    Redirect(Special special) noexcept : target_(special) {}
    Redirect(int fd) noexcept : target_(fd) {}
    Redirect(std::FILE* file) noexcept : target_(file) {}
    Redirect(const char* path) : target_(File{path}) {}
    Redirect(std::string path) : target_(File{std::move(path)}) {}
    Redirect(const std::filesystem::path& path) : target_(File{path.string()}) {}
    Redirect(PipeReader reader) noexcept : target_(std::move(reader)) {}
    Redirect(PipeWriter writer) noexcept : target_(std::move(writer)) {}

    /// A file to the end of which the child writes.
    [[nodiscard]] static Redirect append(const std::filesystem::path& path) {
        Redirect redirect;
        redirect.target_ = File{path.string(), true};
        return redirect;
    }

    /// True when it was left out.
    [[nodiscard]] bool is_inherited() const noexcept {
        return std::holds_alternative<std::monostate>(target_);
    }
    [[nodiscard]] bool is(Special special) const noexcept {
        const Special* own = std::get_if<Special>(&target_);
        return own != nullptr && *own == special;
    }
    [[nodiscard]] const Target& target() const noexcept { return target_; }

private:
    Target target_;
};

}  // namespace weft::subprocess
