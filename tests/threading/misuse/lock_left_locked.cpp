#include <weft/threading.hpp>

// One way out of the function leaves the lock locked.
int main(int argc, char**) {
    weft::threading::Lock lock;
    lock.acquire();
    if (argc > 1) return 1;
    lock.release();
}
