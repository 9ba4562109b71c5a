// Starting threads: with arguments, as a subclass, tied to a scope, asked to stop.

#include <cstdio>
#include <string>
#include <vector>

#include <weft/threading.hpp>

using namespace weft;

// What subclassing Thread is in Python: an object that a thread runs.
struct Counter : threading::Runnable {
    explicit Counter(std::string given) : text(std::move(given)) {}
    void run() override {
        for (const char c : text) vowels += std::string("aeiou").find(c) != std::string::npos;
    }
    std::string text;
    int vowels = 0;
};

int main() {
    // A target with its arguments, which are copied into the thread; std::ref gives a reference.
    std::string greeting;
    threading::Thread greeter(
        [](const std::string& name, std::string& out) { out = "Hello, " + name; }, "Ada",
        std::ref(greeting));
    greeter.start();
    greeter.join();  // returns nothing: is_alive() tells whether it was in time, with a timeout

    // Several at once; each is alive from start() until run() has ended.
    std::vector<threading::ThreadOf<Counter>> counters;
    for (const char* text : {"thread", "condition", "queue"}) {
        counters.push_back(threading::Thread::of<Counter>(text));
        counters.back().start();
    }
    int vowels = 0;
    for (auto& each : counters) {
        each.join();
        vowels += each->vowels;
    }

    // Options, a stop token, and a scope that waits.
    long steps = 0;
    {
        threading::Thread worker({.name = "worker", .stack_size = 256 * 1024},
                                 [&](std::stop_token stop) {
                                     do {
                                         ++steps;
                                     } while (!stop.stop_requested());
                                 });
        const threading::Joining joined{worker};  // started here, joined at the scope's end
        worker.request_stop();
    }
    std::printf("%s: %d vowels, %zu thread alive\n", greeting.c_str(), vowels,
                threading::active_count());
    return greeting == "Hello, Ada" && vowels == 10 && steps > 0 ? 0 : 1;
}
