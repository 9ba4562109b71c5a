#include <weft/coroutines.hpp>

// An RLock's owner is a thread.
int main() {
    weft::threading::RLock lock;
    weft::coroutines::acquire(lock);
}
