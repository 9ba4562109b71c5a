// Context variables: what a request is called goes along to the threads that work for it, without
// being handed from function to function.

#include <atomic>
#include <cstdio>
#include <string>
#include <vector>

#include <weft/contextvars.hpp>
#include <weft/threading.hpp>

using namespace weft;

contextvars::ContextVar<std::string> request("request", "none");
std::atomic<int> labelled{0};

void log(const char* text) {
    std::printf("[%s] %s\n", request.get().c_str(), text);
    if (request.get() != "none") ++labelled;
}

void handle(const std::string& name) {
    const auto scoped = request.scoped(name);  // until the end of this function
    log("begins");
    {
        auto context = contextvars::copy_context();  // a constant-time copy for the other thread
        threading::Joining helper{threading::Thread([&] { context.run(log, "helps"); })};
    }
    log("ends");
}

int main() {
    {
        std::vector<threading::Joining> threads;
        for (const char* name : {"GET /", "GET /news"}) {
            threads.emplace_back(threading::Thread(handle, std::string(name)));
        }
    }
    log("nobody's line");
    return labelled == 6 ? 0 : 1;
}
