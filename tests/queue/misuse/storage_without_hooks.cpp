#include <weft/queue.hpp>

struct Storage {
    void put(int&& item);
};

int main() {
    weft::queue::Queue<int, Storage> queue;
}
