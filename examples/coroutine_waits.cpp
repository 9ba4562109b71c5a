// Coroutines wait in the same lines as threads: workers without a thread of their own take jobs
// from a queue, share a lock, and go on where a loop resumes them.

#include <coroutine>
#include <cstdio>
#include <exception>

#include <weft/coroutines.hpp>
#include <weft/queue.hpp>
#include <weft/threading.hpp>

using namespace weft;

struct Task {  // any type of coroutine will do
    struct promise_type {
        Task get_return_object() { return {}; }
        std::suspend_never initial_suspend() { return {}; }
        std::suspend_never final_suspend() noexcept { return {}; }
        void return_void() {}
        void unhandled_exception() { std::terminate(); }
    };
};

queue::Queue<int> jobs(2);
queue::Queue<std::coroutine_handle<>> loop;  // coroutines that can go on
threading::Lock lock;
int sum = 0;
int running = 3;

Task work() {
    try {
        for (;;) {
            const int job = co_await coroutines::get(jobs, loop);
            const auto held = co_await coroutines::guard(lock, loop);
            sum += job;
        }
    } catch (const queue::ShutDown&) {
        if (--running == 0) loop.shutdown();
    }
}

int main() {
    for (int i = running; i > 0; --i) work();
    threading::Joining producer{threading::Thread([] {
        for (int job = 1; job <= 100; ++job) jobs.put(job);
        jobs.shutdown();
    })};
    for (const auto coroutine : loop) coroutine.resume();  // until all have ended
    std::printf("%d\n", sum);
    return sum == 5050 ? 0 : 1;
}
