// A lock around what several threads change, and the ways to ask for it.

#include <chrono>
#include <cstdio>
#include <stop_token>
#include <vector>

#include <weft/errors.hpp>
#include <weft/threading.hpp>

using namespace std::chrono_literals;
using namespace weft;

int main() {
    threading::Lock lock;
    long balance = 0;
    {
        std::vector<threading::Joining> tellers;
        for (int i = 0; i < 4; ++i) {
            tellers.emplace_back(threading::Thread([&] {
                for (int n = 0; n < 1000; ++n) {
                    threading::Guard held(lock);
                    balance += 2;
                }
            }));
        }
    }
    bool at_once = true;
    bool in_time = true;
    bool was_cancelled = false;
    {
        threading::Guard held(lock);
        threading::Joining other(threading::Thread([&] {
            at_once = lock.acquire(false);       // tries once
            in_time = lock.acquire(true, 10ms);  // waits, but not for ever
            std::stop_source shutdown;
            shutdown.request_stop();
            try {
                lock.acquire(shutdown.get_token());  // waits until it is stopped
            } catch (const Cancelled&) {
                was_cancelled = true;
            }
        }));
    }
    std::printf("balance: %ld, locked: %d\n", balance, lock.locked());
    return balance == 8000 && !at_once && !in_time && was_cancelled && !lock.locked() ? 0 : 1;
}
