// A queue is ended in two ways: what is in it is still handed out, or vanishes at once.

#include <chrono>
#include <cstdio>

#include <weft/queue.hpp>
#include <weft/threading.hpp>

using namespace std::chrono_literals;
using namespace weft;

int main() {
    queue::Queue<int> gently;
    for (int n = 0; n < 3; ++n) gently.put(n);
    gently.shutdown();
    try {
        gently.put(3);
    } catch (const queue::ShutDown& error) {
        std::printf("%s\n", error.what());
    }
    int count = 0;
    for (int each : gently) count += each + 1;  // 0, 1 and 2 are still there

    queue::Queue<int> at_once;
    for (int n = 0; n < 3; ++n) at_once.put(n);
    threading::Joining reader{threading::Thread([&] {
        try {
            for (;;) (void)at_once.get(true, 30s);
        } catch (const queue::ShutDown&) {  // wakes the reader, however long it would have waited
            std::printf("The reader was told.\n");
        }
    })};
    at_once.shutdown(/*immediate=*/true);
    return count == 6 && at_once.empty() ? 0 : 1;
}
