#include <weft/queue.hpp>

// A limit where `block` is meant.
int main() {
    weft::queue::Queue<int> queue;
    return queue.get(0.5);
}
