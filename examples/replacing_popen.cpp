// popen(cmd, "r"), popen(cmd, "w"), pclose(): os.popen(), os.popen2() and os.popen3() in Python.

#include <string>

#include <weft/subprocess.hpp>

using namespace weft;
using subprocess::PIPE;

int main() {
    // "r"
    subprocess::Popen reader("echo out", {.stdout_ = PIPE, .shell = true});
    const std::string out = reader.stdout_().read();

    // "w", and the status that pclose() gives, decoded.
    subprocess::Popen writer("read word; test $word = yes && exit 6",
                             {.stdin_ = PIPE, .shell = true});
    writer.stdin_().write("yes\n");
    writer.stdin_().close();
    const int status = writer.wait();

    // Both ways, and the errors as well.
    subprocess::Popen both("cat; echo trouble >&2",
                           {.stdin_ = PIPE, .stdout_ = PIPE, .stderr_ = PIPE, .shell = true});
    auto [output, errors] = both.communicate("in");
    return out == "out\n" && status == 6 && output == "in" && errors == "trouble\n" ? 0 : 1;
}
