// The four queues hand out the same jobs in different orders.

#include <cstdio>
#include <string>

#include <weft/queue.hpp>

using namespace weft;

template <class Queue>
std::string order_of() {
    Queue jobs;
    for (const char* name : {"wash", "cut", "boil", "serve"}) jobs.put(name);
    std::string all;
    while (!jobs.empty()) all += jobs.get() + " ";
    return all;
}

int main() {
    const std::string first = order_of<queue::Queue<std::string>>();
    const std::string last = order_of<queue::LifoQueue<std::string>>();
    const std::string least = order_of<queue::PriorityQueue<std::string>>();
    const std::string simple = order_of<queue::SimpleQueue<std::string>>();
    std::printf("first in, first out:  %s\nlast in, first out:   %s\nleast first:          %s\n",
                first.c_str(), last.c_str(), least.c_str());
    return first == "wash cut boil serve " && last == "serve boil cut wash " &&
                   least == "boil cut serve wash " && simple == first
               ? 0
               : 1;
}
