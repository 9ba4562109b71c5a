// Two events: one lets all workers begin together, the other ends them.

#include <atomic>
#include <chrono>
#include <cstdio>
#include <vector>

#include <weft/threading.hpp>

using namespace std::chrono_literals;
using namespace weft;

int main() {
    threading::Event begin;
    threading::Event end;
    threading::Semaphore ticks(0);
    std::atomic<int> too_early{0};
    {
        std::vector<threading::Joining> workers;
        for (int i = 0; i < 3; ++i) {
            workers.emplace_back(threading::Thread([&] {
                begin.wait();
                if (!begin.is_set()) ++too_early;
                while (!end.wait(1ms)) ticks.release();  // a tick, until it is set
            }));
        }
        begin.set();  // wakes all three
        for (int i = 0; i < 5; ++i) ticks.acquire();
        end.set();
    }
    std::printf("set: %d, and all workers have ended\n", end.is_set());
    return too_early == 0 && end.is_set() ? 0 : 1;
}
