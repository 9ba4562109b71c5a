// Heat that spreads in a rod: three threads compute a part each, and nobody begins with the next
// step before all have finished the last one.

#include <cstddef>
#include <cstdio>
#include <utility>
#include <vector>

#include <weft/threading.hpp>

using namespace weft;

int main() {
    constexpr std::size_t kPart = 10;
    constexpr int kParts = 3;
    constexpr int kSteps = 50;
    std::vector<double> now(kPart * kParts + 2, 0.0);
    now.front() = 100;
    std::vector<double> next = now;

    int steps = 0;
    threading::Barrier step_done(kParts, [&] {  // runs once, while all wait
        std::swap(now, next);
        ++steps;
    });
    {
        std::vector<threading::Joining> threads;
        for (std::size_t part = 0; part < kParts; ++part) {
            threads.emplace_back(threading::Thread([&, part] {
                for (int step = 0; step < kSteps; ++step) {
                    for (std::size_t i = part * kPart + 1; i <= (part + 1) * kPart; ++i) {
                        next[i] = (now[i - 1] + now[i] + now[i + 1]) / 3;
                    }
                    step_done.wait();
                }
            }));
        }
    }
    std::printf("after %d steps: %.1f degrees beside the fire\n", steps, now[1]);
    bool falls = true;
    for (std::size_t i = 1; i + 1 < now.size(); ++i) falls = falls && now[i] <= now[i - 1];
    return steps == kSteps && falls && now[1] > 80 ? 0 : 1;
}
