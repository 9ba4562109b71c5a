// Running programs: their output, their input, their failures, their time.

#include <cstdio>
#include <string>
#include <string_view>

#include <weft/subprocess.hpp>

using namespace std::chrono_literals;
using namespace weft;

int main() {
    // A list is a program and its arguments; no shell is involved, so nothing needs quoting.
    const auto done = subprocess::run({"echo", "a file; with *"}, {.capture_output = true});
    std::printf("%d %s", done.returncode, done.stdout_.c_str());

    // Text for its standard input, and text from its output: UTF-8, "\n" at the ends of lines.
    const std::string sorted =
        subprocess::run({"sort"}, {.stdout_ = subprocess::PIPE, .input = "b\na\n", .text = true})
            .stdout_;

    // One text for the shell. What comes from elsewhere must be quoted.
    const std::string name = "it's";
    const std::string said = subprocess::check_output(
        "printf %s " + subprocess::quote(name) + " | tr s S", {.shell = true});

    // While it runs: line by line.
    int lines = 0;
    subprocess::run({"printf", "one\ntwo\n"},
                    {.on_stdout_line = [&](std::string_view) { ++lines; }});

    // What goes wrong is an exception, and the child is gone by then.
    std::string trouble;
    try {
        subprocess::run({"sleep", "60"}, {.timeout = 10ms});
    } catch (const subprocess::TimeoutExpired& error) {
        trouble = error.what();
    }
    try {
        subprocess::run({"no-such-program"});
    } catch (const std::system_error& error) {
        if (error.code() == std::errc::no_such_file_or_directory) trouble += "; not found";
    }
    try {
        subprocess::run({"false"}, {.check = true});
    } catch (const subprocess::CalledProcessError& error) {
        trouble += "; status " + std::to_string(error.returncode());
    }
    std::puts(trouble.c_str());
    return sorted == "a\nb\n" && said == "it'S" && lines == 2 &&
                   trouble.ends_with("; not found; status 1")
               ? 0
               : 1;
}
