#include "support/cpython.hpp"

#include <stdio.h>

#include <cstdlib>
#include <memory>

#include <benchmark/benchmark.h>

#include "support/pairs.hpp"

namespace bench {

namespace {

/// What a shell command writes; empty when it fails.
std::string output_of(const std::string& command) {
    std::string output;
    FILE* const pipe = popen(command.c_str(), "r");
    if (pipe == nullptr) return {};
    char buffer[256];
    while (fgets(buffer, sizeof buffer, pipe) != nullptr) output += buffer;
    return pclose(pipe) == 0 ? output : std::string();
}

bool is_there() {
    static const bool is_there = [] {
        const std::string version = output_of("python3 -VV 2>&1");
        fprintf(stderr, "CPython: %s", version.empty() ? "none\n" : version.c_str());
        return !version.empty();
    }();
    return is_there;
}

}  // namespace

void add_cpython(const std::string& row, const std::string& program, long operations) {
    if (!is_there()) return;
    const auto slash = row.find('/');
    const std::string full_name = name(row.substr(0, slash), "CPython") +
                                  (slash == std::string::npos ? "" : row.substr(slash));
    const std::string count = std::to_string(operations);
    const std::string command = "python3 -c '" + program + "\nimport time\nrun(" + count +
                                " // 10)\n"
                                "start = time.perf_counter()\nrun(" +
                                count +
                                ")\n"
                                "print((time.perf_counter() - start) / " +
                                count + ")\n'";
    benchmark::RegisterBenchmark(full_name.c_str(),
                                 [command](benchmark::State& state) {
                                     for (auto _ : state) {
                                         const std::string seconds = output_of(command);
                                         if (seconds.empty()) {
                                             state.SkipWithError("python3 has failed");
                                             break;
                                         }
                                         state.SetIterationTime(std::atof(seconds.c_str()));
                                     }
                                 })
        ->Iterations(1)
        ->UseManualTime();
}

}  // namespace bench
