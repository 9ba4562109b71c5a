// posix_spawn and the family of spawnl, spawnlp, spawnv, spawnle ...

#include <string>
#include <vector>

#include <weft/subprocess.hpp>

using namespace weft;

int main() {
    // P_NOWAIT: start it and go on.
    subprocess::Popen child({"/bin/sh", "-c", "exit 4"});
    const int pid = child.pid();

    // P_WAIT: start it and wait.
    const int retcode = subprocess::call({"/bin/sh", "-c", "exit 5"});

    // Vectors of arguments; another name than the program's.
    const std::vector<std::string> arguments = {"myname", "-c", "test \"$0\" = myname"};
    const int by_vector = subprocess::call(arguments, {.executable = "/bin/sh"});

    // An environment of its own.
    const int by_environment =
        subprocess::call({"/bin/sh", "-c", "test \"$ANSWER\" = 42"}, {.env = {{"ANSWER", "42"}}});
    return pid > 0 && child.wait() == 4 && retcode == 5 && by_vector == 0 && by_environment == 0
               ? 0
               : 1;
}
