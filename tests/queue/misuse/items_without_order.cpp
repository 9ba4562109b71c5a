#include <weft/queue.hpp>

struct Item {};

int main() {
    weft::queue::PriorityQueue<Item, Item> queue;
    queue.put(Item());
}
