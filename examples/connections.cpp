// At most three connections at a time, however many threads want one. The bound tells who closes a
// connection that he has not opened.

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <stdexcept>
#include <vector>

#include <weft/threading.hpp>

using namespace weft;

int main() {
    constexpr int kMaxConnections = 3;
    threading::BoundedSemaphore pool(kMaxConnections);
    threading::Lock lock;
    int open = 0;
    int most = 0;
    {
        std::vector<threading::Joining> clients;
        for (int i = 0; i < 8; ++i) {
            clients.emplace_back(threading::Thread([&] {
                for (int n = 0; n < 100; ++n) {
                    threading::Guard connection(pool);
                    {
                        threading::Guard held(lock);
                        most = std::max(most, ++open);
                    }
                    threading::Guard held(lock);
                    --open;
                }
            }));
        }
    }
    bool was_refused = false;
    try {
        pool.release();
    } catch (const std::invalid_argument& error) {
        std::printf("%s\n", error.what());
        was_refused = true;
    }
    std::printf("There were never more than %d connections.\n", most);
    return most <= kMaxConnections && most > 0 && open == 0 && was_refused ? 0 : 1;
}
