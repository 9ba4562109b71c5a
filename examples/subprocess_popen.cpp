// A child that runs beside the program: talking to it, asking it to stop.

#include <csignal>
#include <cstdio>
#include <string>

#include <weft/subprocess.hpp>

using namespace std::chrono_literals;
using namespace weft;

int main() {
    // Every option has a name; what is left out is as in Python.
    subprocess::Popen calculator({"sh", "-c", "while read a b; do echo $((a + b)); done"},
                                 {.stdin_ = subprocess::PIPE,
                                  .stdout_ = subprocess::PIPE,
                                  .stderr_ = subprocess::DEVNULL,
                                  .text = true,
                                  .cwd = "/",
                                  .env = subprocess::Env::inherited().with("LC_ALL", "C"),
                                  .bufsize = 1});
    calculator.stdin_().write("20 22\n");  // written at the end of the line: bufsize 1
    const std::string sum = calculator.stdout_().readline();

    // Input, both outputs and the end in one call, which cannot deadlock.
    auto [rest, errors] = calculator.communicate("1 2\n3 4\n", 5s);
    std::printf("%s%s", sum.c_str(), rest.c_str());

    // A shell and what it started, as one group. It is asked first, and killed after a grace.
    subprocess::Popen server("trap 'exit 3' TERM; echo up; while :; do sleep 1 & wait; done",
                             {.stdout_ = subprocess::PIPE, .shell = true, .process_group = 0});
    const std::string up = server.stdout_().readline();
    const int status = server.stop({.ask = SIGTERM, .grace = 10s});
    std::printf("%s -> %d\n", server.repr().c_str(), status);

    // Here the destructors close the pipes and wait, which both children have made short.
    return sum == "42\n" && rest == "3\n7\n" && up == "up\n" && status == 3 ? 0 : 1;
}
