// Worker threads get jobs from a bounded queue, and the producer waits until all are done.

#include <atomic>
#include <cstdio>
#include <string>
#include <vector>

#include <weft/queue.hpp>
#include <weft/threading.hpp>

using namespace weft;

int main() {
    queue::Queue<std::string> jobs(16);  // put waits while sixteen jobs are in it
    std::atomic<std::size_t> letters{0};

    const auto work = [&] {
        for (std::string job : jobs) {  // until the queue is shut down and empty
            letters += job.size();
            jobs.task_done();
        }
    };
    std::vector<threading::Joining> workers;
    for (int i = 0; i < 3; ++i) workers.emplace_back(threading::Thread(work));

    for (int n = 0; n < 1000; ++n) jobs.put("job " + std::to_string(n));
    jobs.join();  // every job that was put is done
    std::printf("All jobs are done: %zu letters.\n", letters.load());
    jobs.shutdown();  // ends the workers' loops
    return letters == 6890 ? 0 : 1;
}
