// The older functions, the quoting of command lines, and the switch for slow starts.

#include <cstdio>
#include <string>

#include <weft/subprocess.hpp>

using namespace weft;

int main() {
    // Three functions that are older than run().
    const int status = subprocess::call({"sh", "-c", "exit 2"});
    subprocess::check_call({"true"});  // throws CalledProcessError unless the status is 0
    const std::string text = subprocess::check_output({"echo", "text"});

    // Two that always use a shell, merge both outputs and drop the last newline.
    auto [code, both] = subprocess::getstatusoutput("echo out; echo err >&2; exit 1");
    const std::string output = subprocess::getoutput("echo out");

    // What a program on Windows takes apart again, and what a POSIX shell does.
    const std::string windows = subprocess::list2cmdline({"copy", "my file", R"(C:\)"});
    const std::string posix = subprocess::join({"cp", "my file", "it's"});
    std::printf("%s\n%s\n", windows.c_str(), posix.c_str());

    // For systems on which a child cannot borrow memory: slower, and nothing else.
    subprocess::USE_VFORK = false;
    const int slow = subprocess::call({"true"});
    return status == 2 && text == "text\n" && code == 1 && both == "out\nerr" && output == "out" &&
                   windows == R"(copy "my file" C:\)" && slow == 0
               ? 0
               : 1;
}
