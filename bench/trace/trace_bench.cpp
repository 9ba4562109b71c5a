// What a traced call costs: without hooks, with one that does nothing, and with one that asks for
// the function's name; beside the same call compiled without tracing. CPython's calls with its
// sys.setprofile are in the rows with a hook. Checked: each call is reported twice.

#include <benchmark/benchmark.h>

#include <cstddef>
#include <string>

#include <weft/trace.hpp>

#include "support/cpython.hpp"
#include "support/pairs.hpp"
#include "trace/traced_work.hpp"

namespace {

using weft::threading::Frame;
using weft::threading::TraceEvent;

using Work = int (*)(int);

void call(benchmark::State& state, Work work) {
    int n = 0;
    for (auto _ : state) {
        n = work(n) & 1023;
        benchmark::DoNotOptimize(n);
    }
}

void call_with_hook(benchmark::State& state) {
    long events = 0;
    weft::trace::setprofile([&events](const Frame&, TraceEvent) { ++events; });
    call(state, &bench::traced_work);
    weft::trace::setprofile({});
    if (events != 2 * static_cast<long>(state.iterations())) state.SkipWithError("lost an event");
}

void call_with_name(benchmark::State& state) {
    std::size_t length = 0;
    weft::trace::setprofile(
        [&length](const Frame& frame, TraceEvent) { length += frame.name().size(); });
    call(state, &bench::traced_work);
    weft::trace::setprofile({});
    const std::size_t events = 2 * static_cast<std::size_t>(state.iterations());
    if (length != events * std::string("bench::traced_work(int)").size()) {
        state.SkipWithError("a name is wrong");
    }
}

void add_cpython(const std::string& row, const std::string& hook) {
    bench::add_cpython(row,
                       "import sys\n"

                       "def work(n): return n + 1\n"
                       "def hook(frame, event, arg): " +
                           hook +
                           "\n"
                           "def run(n):\n"
                           "    sys.setprofile(hook)\n"
                           "    for i in range(n): work(i)\n"
                           "    sys.setprofile(None)\n",
                       50'000);
}

}  // namespace

int main(int argc, char** argv) {
    benchmark::RegisterBenchmark("BM_Call_without_hook/weft", call, &bench::traced_work);
    benchmark::RegisterBenchmark("BM_Call_without_hook/not traced", call, &bench::plain_work);
    benchmark::RegisterBenchmark("BM_Call_with_hook/weft", call_with_hook);
    add_cpython("BM_Call_with_hook", "pass");
    benchmark::RegisterBenchmark("BM_Call_with_name/weft", call_with_name);
    add_cpython("BM_Call_with_name", "frame.f_code.co_name");
    return bench::run_pairs(argc, argv);
}
