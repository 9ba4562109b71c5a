// How long a thread waits for what four threads want all the time: each takes it, holds it for
// about a microsecond and gives it back, and every wait is measured. The contenders take turns of
// 50 ms. Written is, for each, the wait that half, 99 %, 99.9 %, 99.99 % and all acquisitions
// stayed below, in microseconds; bench/threading/fairness_plot.py makes a picture of it. Checked:
// what they guard is counted right.

#include <semaphore.h>

#include <algorithm>
#include <atomic>
#include <barrier>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <semaphore>
#include <thread>
#include <vector>

#include <oneapi/tbb/mutex.h>
#include <boost/thread/mutex.hpp>
#include <weft/threading/lock.hpp>
#include <weft/threading/semaphore.hpp>

namespace {

using Clock = std::chrono::steady_clock;

struct Posix {
    Posix() { sem_init(&semaphore, 0, 1); }
    ~Posix() { sem_destroy(&semaphore); }
    Posix(const Posix&) = delete;
    Posix& operator=(const Posix&) = delete;
    void lock() {
        while (sem_wait(&semaphore) != 0) {
        }
    }
    void unlock() { sem_post(&semaphore); }
    sem_t semaphore;
};

struct Standard {
    void lock() { semaphore.acquire(); }
    void unlock() { semaphore.release(); }
    std::counting_semaphore<> semaphore{1};
};

/// All waits of four threads within one turn, in nanoseconds.
template <class Lockable>
void measure(std::vector<double>& waits) {
    constexpr int kThreads = 4;
    constexpr auto kTurn = std::chrono::milliseconds(50);
    Lockable lockable;
    long total = 0;
    std::barrier start(kThreads);
    std::vector<std::vector<double>> own(kThreads);
    {
        std::vector<std::jthread> threads;
        for (int t = 0; t < kThreads; ++t) {
            threads.emplace_back([&, t] {
                auto& mine = own[static_cast<std::size_t>(t)];
                mine.reserve(1 << 17);
                start.arrive_and_wait();
                const auto end = Clock::now() + kTurn;
                for (auto before = Clock::now(); before < end; before = Clock::now()) {
                    lockable.lock();
                    const auto taken = Clock::now();
                    ++total;
                    while (Clock::now() - taken < std::chrono::microseconds(1)) {
                    }
                    lockable.unlock();
                    mine.push_back(
                        std::chrono::duration<double, std::nano>(taken - before).count());
                }
            });
        }
    }
    std::size_t count = 0;
    for (const auto& each : own) {
        count += each.size();
        waits.insert(waits.end(), each.begin(), each.end());
    }
    if (static_cast<std::size_t>(total) != count) {
        std::fputs("lost an increment\n", stderr);
        std::exit(1);
    }
}

struct Contender {
    const char* name;
    void (*measure)(std::vector<double>&);
    std::vector<double> waits{};
};

}  // namespace

int main() {
    constexpr int kRounds = 20;
    Contender contenders[] = {
        {"weft::threading::Lock", measure<weft::threading::Lock>},
        {"std::mutex", measure<std::mutex>},
        {"tbb::mutex", measure<tbb::mutex>},
        {"boost::mutex", measure<boost::mutex>},
        {"weft::threading::Semaphore", measure<weft::threading::Semaphore>},
        {"std::counting_semaphore", measure<Standard>},
        {"sem_t", measure<Posix>},
    };
    for (int round = 0; round < kRounds; ++round) {
        for (Contender& each : contenders) each.measure(each.waits);
    }
    std::puts(
        "| contender | acquisitions | 50 % | 99 % | 99.9 % | 99.99 % | longest |\n"
        "| --- | --- | --- | --- | --- | --- | --- |");
    for (Contender& each : contenders) {
        std::ranges::sort(each.waits);
        const auto at = [&](double part) {
            const auto last = static_cast<double>(each.waits.size() - 1);
            return each.waits[static_cast<std::size_t>(part * last)] / 1e3;
        };
        std::printf("| %s | %zu | %.2f | %.1f | %.1f | %.1f | %.1f |\n", each.name,
                    each.waits.size(), at(0.5), at(0.99), at(0.999), at(0.9999), at(1));
    }
}
