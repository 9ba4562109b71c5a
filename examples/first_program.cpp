// A first program: worker threads take numbers from a queue and add up their squares.

#include <cstdio>
#include <optional>
#include <vector>

#include <weft/queue.hpp>
#include <weft/threading.hpp>

using namespace weft;

int main() {
    queue::SimpleQueue<std::optional<int>> jobs;
    threading::Lock lock;
    long sum = 0;

    const auto work = [&] {
        while (const std::optional<int> n = jobs.get()) {  // waits for the next one
            threading::Guard held(lock);
            sum += long{*n} * *n;
        }
    };
    {
        std::vector<threading::Joining> workers;  // started here, joined at the scope's end
        for (int i = 0; i < 4; ++i) workers.emplace_back(threading::Thread(work));
        for (int n = 1; n <= 1000; ++n) jobs.put(n);
        for (int i = 0; i < 4; ++i) jobs.put(std::nullopt);  // one end mark for each worker
    }
    std::printf("The squares of 1 to 1000 add up to %ld.\n", sum);
    return sum == 333'833'500 ? 0 : 1;
}
