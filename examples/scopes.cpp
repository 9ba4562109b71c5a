// Everything that can be acquired works with a scope: it is taken where the scope begins and given
// back where it ends, also when an exception ends it.

#include <cstdio>
#include <mutex>
#include <stdexcept>

#include <weft/threading.hpp>

using namespace weft;

int main() {
    threading::Lock lock;
    threading::RLock rlock;
    threading::Condition condition;
    threading::Semaphore semaphore(2);
    threading::BoundedSemaphore bounded(1);
    try {
        threading::Guard held(lock);                      // seen by Clang's thread-safety analysis
        std::scoped_lock all(rlock, condition, bounded);  // several at once, without deadlock
        std::unique_lock maybe(semaphore, std::try_to_lock);
        std::printf("locked: %d, got a permit: %d\n", lock.locked(), maybe.owns_lock());
        throw std::runtime_error("leaves all of them");
    } catch (const std::runtime_error& error) {
        std::printf("%s\n", error.what());
    }
    const bool are_free = !lock.locked() && !rlock.locked() && !condition.locked();
    const bool is_back =
        bounded.acquire(false) && semaphore.acquire(false) && semaphore.acquire(false);
    return are_free && is_back ? 0 : 1;
}
