// A semaphore that counts finished parts: each worker gives a permit, the main thread takes them.

#include <atomic>
#include <chrono>
#include <cstdio>
#include <vector>

#include <weft/threading.hpp>

using namespace std::chrono_literals;
using namespace weft;

int main() {
    threading::Semaphore finished(0);
    std::atomic<int> parts{0};
    std::vector<threading::Joining> workers;
    for (int i = 0; i < 3; ++i) {
        workers.emplace_back(threading::Thread([&] {
            parts += 2;
            finished.release(2);  // two at once
        }));
    }
    for (int i = 0; i < 6; ++i) finished.acquire();
    const bool is_more = finished.acquire(true, 1ms);  // there is no seventh
    std::printf("%d parts are finished.\n", parts.load());
    return parts == 6 && !is_more ? 0 : 1;
}
