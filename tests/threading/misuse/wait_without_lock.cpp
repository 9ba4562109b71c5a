#include <weft/threading.hpp>

// A condition is waited for without its lock.
int main() {
    weft::threading::Condition changed;
    changed.wait();
}
