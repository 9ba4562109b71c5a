// Traces itself in the way that its argument names. All of it is compiled with
// -finstrument-functions and without optimisation: what it uses of the standard library's templates
// and of Weft's headers, too.

#include <dlfcn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <weft/threading.hpp>
#include <weft/trace.hpp>

#include "children/ways.hpp"

namespace shown {

int early() {
    return 1;
}
int in_main() {
    return 2;
}
int in_thread() {
    return 3;
}
int in_thread_local() {
    return 4;
}
int in_child() {
    return 5;
}
int late() {
    return 6;
}

}  // namespace shown

namespace {

using namespace weft;
using threading::Frame;
using threading::TraceEvent;

void show(const Frame& frame, TraceEvent event) {
    const std::string name(frame.name());
    if (event == TraceEvent::call && name.starts_with("shown::")) ways::say(name);
}

/// Before main, and after it.
struct Static {
    Static() {
        shown::early();
        threading::settrace_all_threads(&show);
        shown::early();
    }
    ~Static() { shown::late(); }
} object;

struct Local {
    ~Local() { shown::in_thread_local(); }
    int uses = 0;
};
thread_local Local local;

int at_both_ends() {
    shown::in_main();
    return 0;
}

int thread_end() {
    std::thread([] {
        ++local.uses;
        shown::in_thread();
    }).join();
    threading::Joining joining(threading::Thread([] {
        ++local.uses;
        shown::in_thread();
    }));
    return 0;
}

int fork_child() {
    const pid_t child = fork();
    if (child == 0) {
        shown::in_child();
        threading::Joining joining(threading::Thread([] { shown::in_thread(); }));
        joining->join();
        threading::settrace_all_threads({});
        shown::in_child();
        std::_Exit(0);
    }
    int status = 1;
    waitpid(child, &status, 0);
    shown::in_main();
    return status;
}

/// Hooks come and go while many threads call, fork included.
int stress() {
    std::atomic<bool> stops = false;
    std::atomic<long> calls = 0;
    threading::settrace_all_threads({});
    {
        std::vector<threading::Joining> threads;
        for (int i = 0; i < 4; ++i) {
            threads.emplace_back(threading::Thread([&stops] {
                while (!stops) shown::in_thread();
            }));
        }
        for (int i = 0; i < 200; ++i) {
            const auto resource = std::make_shared<int>(i);
            threading::settrace_all_threads(
                [&calls, resource](const Frame&, TraceEvent) { calls += *resource >= 0; });
            threading::setprofile_all_threads({});
            threading::setprofile_all_threads([&calls](const Frame&, TraceEvent) { ++calls; });
            const auto calls_before = calls.load();
            while (calls == calls_before) std::this_thread::yield();
        }
        const pid_t child = fork();
        if (child == 0) {
            const auto calls_before = calls.load();
            shown::in_child();
            std::_Exit(calls > calls_before ? 0 : 1);
        }
        int status = 1;
        waitpid(child, &status, 0);
        stops = true;
        threading::settrace_all_threads({});
        threading::setprofile_all_threads({});
        if (status != 0) return 1;
    }
    ways::say(calls > 0 ? "called" : "not called");
    return 0;
}

/// A library that comes and goes.
int plugin(const char* path) {
    std::optional<Frame> kept;
    trace::settrace([&kept](const Frame& frame, TraceEvent) {
        if (frame.name() == "plugged_in") kept = frame;
    });
    void* const library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) return 1;
    auto* const function = reinterpret_cast<int (*)(int)>(dlsym(library, "plugged_in"));
    if (function == nullptr || function(1) != 2) return 2;
    trace::settrace({});
    if (!kept || kept->lineno() == 0) return 3;
    ways::say(std::string(kept->filename().substr(kept->filename().rfind('/') + 1)));
    dlclose(library);
    ways::say(kept->name() == "plugged_in" ? "still there" : "gone");
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc > 2 && std::string(argv[1]) == "plugin") return plugin(argv[2]);
    return ways::take({{"at_both_ends", at_both_ends},
                       {"thread_end", thread_end},
                       {"fork_child", fork_child},
                       {"stress", stress}},
                      argc, argv);
}
