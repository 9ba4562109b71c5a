#include <cstddef>
#include <filesystem>
#include <optional>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <weft/queue.hpp>
#include <weft/threading.hpp>

#include "chapters.hpp"
#include "log.hpp"
#include "progress_bar.hpp"

namespace tour {

namespace {

namespace queue = weft::queue;
namespace threading = weft::threading;

/// Workers take paths from one queue until they find the end mark, count on their own, and put what
/// they found into another queue.
Findings read_with_workers(const Paths& files, std::size_t worker_count) {
    queue::SimpleQueue<std::optional<std::filesystem::path>> jobs;
    queue::SimpleQueue<Findings> results;
    ProgressBar bar(fmt::format("reading with {} threads", worker_count), files.size());
    std::vector<threading::Joining> workers;
    for (std::size_t i = 0; i < worker_count; ++i) {
        workers.emplace_back(threading::Thread({.name = fmt::format("reader-{}", i + 1)}, [&] {
            const auto scoped = as_worker(threading::current_thread().name());
            Findings mine;
            while (const auto file = jobs.get()) {
                mine.add(read_file(*file));
                bar.advance();
            }
            log(fmt::format("read {} files", mine.files));
            results.put(std::move(mine));
        }));
    }
    for (const auto& file : files) jobs.put(file);
    for (std::size_t i = 0; i < worker_count; ++i) jobs.put(std::nullopt);
    Findings all;
    for (std::size_t i = 0; i < worker_count; ++i) all.add(results.get());
    return all;
}

}  // namespace

bool show_threads(Reference& reference, std::size_t workers) {
    fmt::print("Threads and a queue\n");
    const auto start = Clock::now();
    const Findings found = read_with_workers(reference.files(), workers);
    const double seconds = seconds_since(start);
    fmt::print("  {} threads that took the files from a SimpleQueue did the same\n  {}.\n", workers,
               reference.describe(seconds));
    return reference.confirms(found == reference.findings(), "The same counts and the same digest");
}

}  // namespace tour
