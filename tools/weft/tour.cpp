#include "tour.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <weft/queue.hpp>
#include <weft/threading.hpp>

#include "identifiers.hpp"
#include "progress_bar.hpp"

namespace tour {

namespace {

namespace queue = weft::queue;
namespace threading = weft::threading;

using Clock = std::chrono::steady_clock;
using Paths = std::vector<std::filesystem::path>;

double seconds_since(Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
}

/// So that both ways find the files in the system's cache.
void bring_into_memory(const Paths& files) {
    ProgressBar bar("looking at the files", files.size());
    for (const auto& file : files) {
        read_file(file);
        bar.advance();
    }
}

Findings read_one_after_the_other(const Paths& files) {
    ProgressBar bar("reading one file after the other", files.size());
    Findings all;
    for (const auto& file : files) {
        all.add(read_file(file));
        bar.advance();
    }
    return all;
}

/// Workers take paths from one queue until they find the end mark, count on their own, and put what
/// they found into another queue.
Findings read_with_workers(const Paths& files, std::size_t worker_count) {
    queue::SimpleQueue<std::optional<std::filesystem::path>> jobs;
    queue::SimpleQueue<std::optional<Findings>> results;  // empty: one more file is done
    std::vector<threading::Joining> workers;
    for (std::size_t i = 0; i < worker_count; ++i) {
        workers.emplace_back(threading::Thread({.name = fmt::format("reader-{}", i + 1)}, [&] {
            Findings mine;
            while (const auto file = jobs.get()) {
                mine.add(read_file(*file));
                results.put(std::nullopt);
            }
            results.put(std::move(mine));
        }));
    }
    for (const auto& file : files) jobs.put(file);
    for (std::size_t i = 0; i < worker_count; ++i) jobs.put(std::nullopt);

    ProgressBar bar(fmt::format("reading with {} threads", worker_count), files.size());
    Findings all;
    for (std::size_t missing = worker_count; missing > 0;) {
        if (auto part = results.get()) {
            all.add(std::move(*part));
            --missing;
        } else {
            bar.advance();
        }
    }
    return all;
}

}  // namespace

int run(const std::filesystem::path& folder) {
    const Paths files = list_headers(folder);
    if (files.empty()) {
        fmt::print(stderr, "weft tour: there are no headers (*.h, *.hpp) below {}\n",
                   folder.string());
        return 1;
    }
    bring_into_memory(files);

    fmt::print("Threads and a queue\n");
    fmt::print("  Which identifiers do the {} headers below {} use most?\n", files.size(),
               folder.string());
    auto start = Clock::now();
    const Findings expected = read_one_after_the_other(files);
    const double sequential = seconds_since(start);
    fmt::print(
        "  One thread read {:.1f} MB, took their digest and counted {} different names in "
        "{:.2f} s.\n",
        static_cast<double>(expected.bytes) / 1e6, expected.counts.size(), sequential);

    const std::size_t workers = std::max(2U, std::thread::hardware_concurrency());
    start = Clock::now();
    const Findings found = read_with_workers(files, workers);
    const double concurrent = seconds_since(start);
    fmt::print(
        "  {} threads that took the files from a SimpleQueue did the same in {:.2f} s: "
        "{:.2f} times as fast.\n",
        workers, concurrent, sequential / concurrent);

    if (found != expected) {
        fmt::print("  Their counts or digests DIFFER: this is a bug in Weft, please report it.\n");
        return 1;
    }
    fmt::print("  Both found the same counts and the same digest ({:016x}). The first ten:\n",
               found.digest);
    for (const auto& [name, count] : found.ranking(10)) fmt::print("  {:>10}  {}\n", count, name);
    return 0;
}

}  // namespace tour
