// A value for each thread: made where a thread touches it first, destroyed when the thread ends.

#include <atomic>
#include <cstdio>
#include <string>
#include <vector>

#include <weft/threading.hpp>

using namespace weft;

struct Log {
    explicit Log(std::string given) : prefix(std::move(given)) { ++open; }
    ~Log() { --open; }
    void add(const std::string& text) { lines.push_back(prefix + text); }
    std::string prefix;
    std::vector<std::string> lines;
    static inline std::atomic<int> open{0};
};

threading::local<Log> log_of_thread("> ");  // Log("> "), once in each thread

int main() {
    log_of_thread->add("main");
    int most = 0;
    {
        threading::Joining other{threading::Thread([&] {
            log_of_thread->add("one");
            log_of_thread->add("two");
            most = Log::open;
        })};
    }
    std::printf("%zu line here, %d logs at most, %d now\n", log_of_thread->lines.size(), most,
                Log::open.load());
    return log_of_thread->lines.size() == 1 && most == 2 && Log::open == 1 ? 0 : 1;
}
