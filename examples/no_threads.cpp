// The same program with threads and without: dummy_threading runs everything in one order.

#include <cstdio>
#include <string>

#include <weft/dummy_threading.hpp>

namespace threading = weft::dummy_threading;  // weft::threading for real threads

int main() {
    std::string order;
    threading::Lock lock;
    const auto work = [&](const char* name) {
        threading::Guard held(lock);
        order += name;
    };
    threading::Thread first(work, "first, ");
    threading::Thread second(work, "second, ");
    first.start();  // runs to its end
    second.start();
    order += "main";
    first.join();
    second.join();
    std::printf("%s\n", order.c_str());
    return order == "first, second, main" ? 0 : 1;
}
