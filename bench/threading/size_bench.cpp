// How large the objects of threading are, beside those of the C and C++ libraries and Boost.

#include <pthread.h>
#include <semaphore.h>

#include <barrier>
#include <condition_variable>
#include <cstddef>
#include <cstdio>
#include <mutex>
#include <semaphore>
#include <thread>

#include <boost/thread/barrier.hpp>
#include <boost/thread/condition_variable.hpp>
#include <boost/thread/mutex.hpp>
#include <weft/threading.hpp>

namespace {

void print(const char* what, std::size_t bytes) {
    std::printf("| `%s` | %zu |\n", what, bytes);
}

}  // namespace

int main() {
    std::puts("| type | bytes |\n| --- | --- |");
    print("threading::Lock", sizeof(weft::threading::Lock));
    print("std::mutex", sizeof(std::mutex));
    print("boost::mutex", sizeof(boost::mutex));
    print("threading::RLock", sizeof(weft::threading::RLock));
    print("std::recursive_timed_mutex", sizeof(std::recursive_timed_mutex));
    print("threading::Condition", sizeof(weft::threading::Condition));
    print("std::condition_variable with std::mutex",
          sizeof(std::condition_variable) + sizeof(std::mutex));
    print("boost::condition_variable", sizeof(boost::condition_variable));
    print("threading::Semaphore", sizeof(weft::threading::Semaphore));
    print("std::counting_semaphore", sizeof(std::counting_semaphore<>));
    print("sem_t", sizeof(sem_t));
    print("threading::Event", sizeof(weft::threading::Event));
    print("threading::Barrier", sizeof(weft::threading::Barrier));
    print("std::barrier", sizeof(std::barrier<>));
    print("pthread_barrier_t", sizeof(pthread_barrier_t));
    print("boost::barrier", sizeof(boost::barrier));
    print("threading::Thread", sizeof(weft::threading::Thread));
    print("threading::Timer", sizeof(weft::threading::Timer));
    print("std::thread", sizeof(std::thread));
}
