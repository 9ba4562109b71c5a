// `weft map` beside xargs -P and GNU parallel: many commands that do nothing, so that what is
// measured is starting, waiting and printing. GNU parallel has a row of fewer commands.

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include <weft/subprocess.hpp>

#include "support/pairs.hpp"

namespace {

using Clock = std::chrono::steady_clock;
namespace subprocess = weft::subprocess;

/// So many lines.
std::string file_of(std::size_t lines) {
    const std::string path =
        (std::filesystem::temp_directory_path() / ("weft-bench-lines-" + std::to_string(lines)))
            .string();
    std::ofstream file(path);
    for (std::size_t i = 0; i < lines; ++i) file << i << '\n';
    return path;
}

void time(benchmark::State& state, const std::string& file,
          const std::vector<std::string>& command) {
    for (auto _ : state) {
        const auto start = Clock::now();
        const int status = subprocess::call(
            subprocess::Args(command),
            {.stdin_ = std::filesystem::path(file), .stdout_ = subprocess::DEVNULL});
        state.SetIterationTime(std::chrono::duration<double>(Clock::now() - start).count());
        if (status != 0) state.SkipWithError("it failed");
    }
}

void add(const std::string& row, const std::string& contender, const std::string& file,
         const std::vector<std::string>& command) {
    benchmark::RegisterBenchmark(bench::name(row, contender).c_str(),
                                 [=](benchmark::State& state) { time(state, file, command); })
        ->UseManualTime()
        ->Iterations(1);
}

}  // namespace

int main(int argc, char** argv) {
    const std::string jobs = std::to_string(std::max(1U, std::thread::hardware_concurrency()));
    const std::string many = file_of(2000);
    const std::string few = file_of(100);
    add("Map_2000_true", "weft", many, {WEFT_PROGRAM, "map", "-j", jobs, "true"});
    add("Map_2000_true", "xargs -P", many, {"xargs", "-P", jobs, "-n", "1", "true"});
    add("Map_2000_echo", "weft", many, {WEFT_PROGRAM, "map", "-j", jobs, "echo"});
    add("Map_2000_echo", "xargs -P", many, {"xargs", "-P", jobs, "-n", "1", "echo"});
    if (subprocess::getoutput("parallel --version </dev/null").starts_with("GNU parallel")) {
        add("Map_100_true", "weft", few, {WEFT_PROGRAM, "map", "-j", jobs, "true"});
        add("Map_100_true", "GNU parallel", few, {"parallel", "--will-cite", "-j", jobs, "true"});
    }
    const int result = bench::run_pairs(argc, argv);
    std::remove(many.c_str());
    std::remove(few.c_str());
    return result;
}
