#include <weft/queue.hpp>

int main() {
    weft::queue::Queue<int> queue;
    weft::queue::Queue<int> copy = queue;
    return copy.get();
}
