// A greeting in half a minute, and one that is cancelled. A test need not wait for it: it moves the
// clock.

#include <chrono>
#include <cstdio>
#include <string>

#include <weft/manual_clock.hpp>
#include <weft/threading.hpp>

using namespace std::chrono_literals;
using namespace weft;

int main() {
    ManualClock clock;
    const auto installed = clock.install();

    std::string said;
    const auto say = [&](const std::string& text) { said += text; };
    threading::Timer greeting(30s, say, "hello, world");
    threading::Timer farewell(30s, say, "goodbye");
    greeting.start();
    farewell.start();
    const bool was_in_time = farewell.cancel();  // it will not be said

    clock.wait_for_sleepers(1);
    clock.advance(30s);
    greeting.join();
    farewell.join();
    std::printf("%s\n", said.c_str());
    return said == "hello, world" && was_in_time && !greeting.cancel() ? 0 : 1;
}
