// What child_test.cpp runs: does what its first argument says.

#include <signal.h>
#include <unistd.h>

#include <cstdlib>
#include <iostream>
#include <string>
#include <string_view>

int main(int argc, char** argv) {
    const std::string_view task = argc > 1 ? argv[1] : "";
    if (task == "echo") {
        std::cout << std::cin.rdbuf();
    } else if (task == "speak") {
        std::cout << "to output";
        std::cerr << "to errors";
    } else if (task == "arguments") {
        for (int i = 2; i < argc; ++i) std::cout << '[' << argv[i] << ']';
    } else if (task == "environment") {
        const char* const value = std::getenv("WEFT_TALKER");
        std::cout << (value != nullptr ? value : "nothing");
    } else if (task == "exit") {
        return 7;
    } else if (task == "die") {
        raise(SIGTERM);
    } else if (task == "hang") {
        for (;;) pause();
    } else if (task == "leave") {
        // A process that keeps the standard streams open and outlives its parent.
        if (fork() == 0) {
            for (;;) pause();
        }
        std::cout << "left one";
    } else if (task == "flood") {
        // More than any pipe holds, on both streams in turn.
        const std::string block(100'000, 'x');
        for (int i = 0; i < 10; ++i) {
            std::cout << block << std::flush;
            std::cerr << block << std::flush;
        }
    } else if (task == "descriptors") {
        for (int fd = 3; fd < 64; ++fd) {
            if (dup(fd) >= 0) std::cout << fd << ' ';
        }
    }
    return 0;
}
