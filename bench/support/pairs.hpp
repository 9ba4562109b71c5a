#pragma once

#include <benchmark/benchmark.h>

#include <string>

namespace bench {

/// Names one contender of one row: `BM_Lock_alone/weft`, `BM_Lock_alone/std::mutex`. The part after
/// the first slash is the contender; what Google Benchmark appends (threads, sizes) belongs to the
/// row again. Every row needs a contender whose name begins with `weft`.
inline std::string name(const std::string& row, const std::string& contender) {
    return row + "/" + contender;
}

/// Runs every registered benchmark 30 times, all contenders of all rows in a random order in each
/// round, and prints for each row and peer the median of the 30 ratios peer / weft (above 1: weft
/// is ahead) with its 95 % interval, losing rows first. Google Benchmark's own flags are
/// understood.
int run_pairs(int argc, char** argv);

}  // namespace bench
