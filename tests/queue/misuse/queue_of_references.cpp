#include <weft/queue.hpp>

int main() {
    weft::queue::LifoQueue<int&> queue;
}
