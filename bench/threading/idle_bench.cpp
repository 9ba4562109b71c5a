// What a blocked program costs: threads that wait, with and without a limit, for a lock, a
// condition and a queue, and the processor time that the whole program uses meanwhile.

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <thread>
#include <vector>

#include <weft/queue.hpp>
#include <weft/threading.hpp>

using namespace std::chrono_literals;
using namespace weft;

int main(int argc, char** argv) {
    const int seconds = argc > 1 ? std::atoi(argv[1]) : 10;
    threading::Lock lock;
    threading::Condition condition;
    queue::SimpleQueue<int> jobs;
    bool is_over = false;
    lock.acquire();
    {
        std::vector<threading::Joining> threads;
        const auto add = [&](auto work) { threads.emplace_back(threading::Thread(work)); };
        add([&] { lock.acquire(), lock.release(); });
        add([&] { lock.acquire(true, 1h), lock.release(); });
        add([&] { jobs.get(); });
        add([&] { jobs.get(true, 1h); });
        add([&] {
            threading::Guard held(condition);
            condition.wait_for([&] { return is_over; });
        });
        add([&] {
            threading::Guard held(condition);
            condition.wait_for([&] { return is_over; }, 1h);
        });
        std::this_thread::sleep_for(100ms);  // for them to fall asleep
        const std::clock_t before = std::clock();
        std::this_thread::sleep_for(std::chrono::seconds(seconds));
        const std::clock_t after = std::clock();
        std::printf("6 threads blocked for %d s used %.3f ms of processor time\n", seconds,
                    1e3 * static_cast<double>(after - before) / CLOCKS_PER_SEC);
        lock.release();
        jobs.put(1);
        jobs.put(2);
        threading::Guard held(condition);
        is_over = true;
        condition.notify_all();
    }
}
