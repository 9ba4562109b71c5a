#pragma once

#include <sys/types.h>

#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "support/budget.hpp"

namespace weft::test {

/// How to run a child program.
struct ChildOptions {
    std::vector<std::string> arguments{};
    std::string input{};  ///< given to it as its standard input, which then ends
    std::vector<std::pair<std::string, std::string>> environment{};  ///< besides this program's own
    std::chrono::milliseconds limit = std::chrono::seconds(30) * slowness();
};

/// How a child program ended, and what it wrote.
struct ChildResult {
    int status = 0;              ///< as waitpid() gives it
    bool has_timed_out = false;  ///< it was killed because it exceeded its limit
    std::string output;
    std::string error;

    [[nodiscard]] bool exited_with(int code) const;
    [[nodiscard]] bool was_killed_by(int signal) const;
    /// The end and the output in words, for a failure's message.
    [[nodiscard]] std::string describe() const;
};

/// Runs one of the programs in tests/children, by its name. Where WEFT_TEST_EMULATOR names a
/// program (for binaries of another processor), that runs it.
ChildResult run_child(const std::string& name, const ChildOptions& options = {});

/// Runs any program, by its path. The child leads a process group of its own, has no signal blocked
/// or ignored, and no descriptor but the standard three. Returns when it has ended, also if
/// processes that it left behind still hold its output; those are killed. Throws
/// `std::system_error` when the program cannot be started.
ChildResult run_program(const std::string& path, const ChildOptions& options = {});

/// Waits for a child process of this one and gives its status; nothing if it has not ended within
/// the limit, in which case it has been killed and waited for. Throws `std::system_error` when
/// there is no such child.
std::optional<int> wait_for_process(pid_t process, std::chrono::milliseconds limit);

}  // namespace weft::test
