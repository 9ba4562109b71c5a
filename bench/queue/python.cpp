#include "queue/python.hpp"

#include <benchmark/benchmark.h>

#include <cstdio>
#include <cstdlib>
#include <memory>

#include "support/pairs.hpp"

namespace bench {

namespace {

constexpr int kItems = 20'000;

constexpr const char* kScript = R"(
import queue, sys, threading, time

kind, pairs, items = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
make = lambda: eval('queue.' + (kind if '(' in kind else kind + '()'))

def run(*targets):
    threads = [threading.Thread(target=each) for each in targets]
    start = time.perf_counter()
    for each in threads: each.start()
    for each in threads: each.join()
    return time.perf_counter() - start

def alone():
    q = make()
    def work():
        for n in range(items):
            q.put(n)
            q.get()
    return run(work)

def ping_pong():
    there, back = make(), make()
    def ask():
        for n in range(items):
            there.put(n)
            back.get()
    def answer():
        for n in range(items): back.put(there.get())
    return run(ask, answer)

def streamed():
    q = make()
    def produce():
        for n in range(items // pairs): q.put(n)
    def consume():
        for n in range(items // pairs): q.get()
    return run(*[produce] * pairs, *[consume] * pairs)

print((alone if pairs == 0 else ping_pong if pairs < 0 else streamed)())
)";

struct Close {
    void operator()(std::FILE* pipe) const { pclose(pipe); }
};

/// The seconds that the child measured; negative when there is no Python.
double run_python(const std::string& kind, int pairs, int items) {
    const std::string command = "python3 -c \"$WEFT_BENCH_SCRIPT\" '" + kind + "' " +
                                std::to_string(pairs) + " " + std::to_string(items);
    const std::unique_ptr<std::FILE, Close> pipe(popen(command.c_str(), "r"));
    double seconds = -1;
    if (pipe == nullptr || std::fscanf(pipe.get(), "%lf", &seconds) != 1) return -1;
    return seconds;
}

}  // namespace

void add_python(const std::string& row, const std::string& kind, int pairs) {
    setenv("WEFT_BENCH_SCRIPT", kScript, 1);
    const int items = pairs < 0 ? kItems / 10 : kItems;
    const auto run = [kind, pairs, items](benchmark::State& state) {
        while (state.KeepRunningBatch(items)) {
            const double seconds = run_python(kind, pairs, items);
            if (seconds < 0) {
                state.SkipWithError("python3 did not run");
                break;
            }
            state.SetIterationTime(seconds);
        }
    };
    benchmark::RegisterBenchmark(name(row, "CPython").c_str(), run)->UseManualTime();
}

}  // namespace bench
