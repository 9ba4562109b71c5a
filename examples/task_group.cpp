// Calls that wait for calls, and a group of them, in a pool of one thread.

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <numeric>
#include <span>
#include <vector>

#include <weft/concurrent/futures.hpp>

using namespace weft;

void sort(futures::Executor& pool, std::span<int> numbers) {
    if (numbers.size() < 1000) {
        std::sort(numbers.begin(), numbers.end());
        return;
    }
    const auto middle = numbers.begin() + static_cast<std::ptrdiff_t>(numbers.size() / 2);
    {
        futures::TaskGroup halves(pool);
        halves.submit(sort, std::ref(pool), std::span(numbers.begin(), middle));
        halves.submit(sort, std::ref(pool), std::span(middle, numbers.end()));
        halves.wait();  // the first exception stops the other half, and is thrown here
    }
    std::vector<int> merged(numbers.size());
    std::merge(numbers.begin(), middle, middle, numbers.end(), merged.begin());
    std::copy(merged.begin(), merged.end(), numbers.begin());
}

int main() {
    std::vector<int> numbers(100'000);
    for (std::size_t i = 0; i < numbers.size(); ++i) {
        numbers[i] = static_cast<int>(i * 7919 % 100'003);
    }
    futures::ThreadPoolExecutor pool(1);  // a worker that waits runs what it waits for
    pool.submit(sort, std::ref(pool), std::span(numbers)).result();
    const bool is_sorted = std::is_sorted(numbers.begin(), numbers.end());
    std::printf("sorted: %s\n", is_sorted ? "yes" : "no");
    return is_sorted ? 0 : 1;
}
