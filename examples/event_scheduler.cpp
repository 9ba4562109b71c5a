// An event scheduler: actions that run at their times, here on a clock that the program moves
// itself.

#include <cstdio>
#include <string>
#include <vector>

#include <weft/sched.hpp>

using namespace weft;

int main() {
    double minute = 0;
    std::vector<std::string> kitchen;
    const auto note = [&](const std::string& what) {
        kitchen.push_back(what);
        std::printf("minute %2.0f: %s\n", minute, what.c_str());
    };

    sched::scheduler clock([&] { return minute; }, [&](double wait) { minute += wait; });
    clock.enter(10, 2, note, "pasta into the pot");
    clock.enter(10, 1, note, "salt into the pot");  // the same time: the lower priority is first
    clock.enter(0, 1, note, "water onto the stove");
    const auto timer = clock.enter(25, 1, note, "the pasta is burnt");
    clock.enter(20, 1, [&] {
        note("pasta out of the pot");
        clock.cancel(timer);
        clock.enter(2, 1, note, "dinner");
    });
    clock.run();

    const bool is_right = kitchen.size() == 5 && kitchen[1] == "salt into the pot" &&
                          kitchen.back() == "dinner" && minute == 22;
    return is_right ? 0 : 1;
}
