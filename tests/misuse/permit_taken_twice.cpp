#include <weft/threading.hpp>

// A scope inside a scope of the same semaphore: with one permit it would wait for itself.
int main() {
    weft::threading::Semaphore semaphore;
    weft::threading::Guard outer(semaphore);
    weft::threading::Guard inner(semaphore);
}
