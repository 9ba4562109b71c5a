// A range mapped over all CPUs.

#include <cstdio>
#include <vector>

#include <weft/concurrent/futures.hpp>

using namespace weft;

bool is_prime(long n) {
    if (n < 2) return false;
    if (n % 2 == 0) return n == 2;
    for (long i = 3; i <= n / i; i += 2) {
        if (n % i == 0) return false;
    }
    return true;
}

int main() {
    const std::vector<long> numbers{112272535095293, 112582705942171, 112272535095293,
                                    115280095190773, 115797848077099, 1099726899285419};
    futures::ThreadPoolExecutor pool;
    int primes = 0;
    std::size_t i = 0;
    for (const bool prime : pool.map(is_prime, numbers)) {
        std::printf("%ld is prime: %s\n", numbers[i++], prime ? "yes" : "no");
        primes += prime ? 1 : 0;
    }
    return primes == 5 ? 0 : 1;
}
