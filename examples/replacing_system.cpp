// status = system("mycmd myarg")

#include <cstdio>
#include <system_error>

#include <weft/subprocess.hpp>

using namespace weft;

int main() {
    // The status is decoded: 3, and not 768. Unlike system(), call() does not ignore SIGINT and
    // SIGQUIT meanwhile.
    const int status = subprocess::call("exit 3", {.shell = true});
    if (status < 0) {
        std::printf("Child was terminated by signal %d\n", -status);
    } else {
        std::printf("Child returned %d\n", status);
    }

    // Better without a shell, where a missing program is an exception and not status 127.
    try {
        subprocess::call({"no-such-program", "myarg"});
    } catch (const std::system_error& error) {
        std::printf("Execution failed: %s\n", error.what());
    }
    return status == 3 ? 0 : 1;
}
