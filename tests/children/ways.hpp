#pragma once

#include <sched.h>
#include <unistd.h>

#include <chrono>
#include <map>
#include <string>
#include <string_view>

namespace ways {

/// One line of output, by one write, in any state of the program.
inline void say(std::string_view text) {
    const std::string line = std::string(text) + "\n";
    if (::write(STDOUT_FILENO, line.data(), line.size()) < 0) ::_exit(99);
}

/// Gives whoever does not wait, though he should, every opportunity to overtake. On a busy machine,
/// where others get a whole slice of time for each yield, these are enough sooner.
inline void dawdle() {
    const auto enough = std::chrono::steady_clock::now() + std::chrono::milliseconds(50);
    for (int i = 0; i < 2000 && std::chrono::steady_clock::now() < enough; ++i) ::sched_yield();
}

/// A way to end, by its name. What it returns is returned from main.
using Way = int (*)();

inline int take(const std::map<std::string_view, Way>& ways, int argc, char** argv) {
    const auto found = ways.find(argc > 1 ? argv[1] : "");
    return found != ways.end() ? found->second() : 98;
}

}  // namespace ways
