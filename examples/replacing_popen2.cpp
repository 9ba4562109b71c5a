// (child_stdout, child_stdin) = popen2.popen2("somestring", bufsize), and popen2.Popen3

#include <string>

#include <weft/subprocess.hpp>

using namespace weft;
using subprocess::PIPE;

int main() {
    // From a text, by the shell.
    subprocess::Popen p("tr a-z A-Z",
                        {.stdin_ = PIPE, .stdout_ = PIPE, .shell = true, .bufsize = 4096});
    p.stdin_().write("text");
    p.stdin_().close();
    const std::string upper = p.stdout_().read();

    // From a list, without a shell; with capturestderr the errors come too. That the program is
    // missing would be an exception, and descriptors are closed in the child unless asked for.
    subprocess::Popen q({"sh", "-c", "echo err >&2"}, {.stdout_ = PIPE, .stderr_ = PIPE});
    auto [output, errors] = q.communicate();
    return upper == "TEXT" && output.empty() && errors == "err\n" ? 0 : 1;
}
