#include <cstddef>
#include <string>
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

constexpr std::size_t kRoom = 8;

struct Outcome {
    Findings findings;
    std::size_t times_full = 0;
};

/// Ends the queue however its only producer ends, so that nobody waits for more.
class ShutDownAtTheEnd {
public:
    explicit ShutDownAtTheEnd(queue::Queue<std::string>& texts) : texts_(texts) {}
    ~ShutDownAtTheEnd() { texts_.shutdown(); }
    ShutDownAtTheEnd(const ShutDownAtTheEnd&) = delete;
    ShutDownAtTheEnd& operator=(const ShutDownAtTheEnd&) = delete;

private:
    queue::Queue<std::string>& texts_;
};

Outcome read_in_a_pipeline(const Paths& files, std::size_t counter_count) {
    Outcome outcome;
    queue::Queue<std::string> texts(kRoom);
    queue::SimpleQueue<Findings> results;
    ProgressBar bar("reading and counting", files.size());
    const threading::Joining reader(threading::Thread({.name = "reader"}, [&] {
        const ShutDownAtTheEnd end(texts);
        for (const auto& file : files) {
            std::string text = read_file(file);
            if (texts.full()) ++outcome.times_full;
            texts.put(std::move(text));
        }
    }));
    std::vector<threading::Joining> counters;
    for (std::size_t i = 0; i < counter_count; ++i) {
        counters.emplace_back(threading::Thread({.name = fmt::format("counter-{}", i + 1)}, [&] {
            const auto scoped = as_worker(threading::current_thread().name());
            Findings mine;
            for (const std::string& text : texts) {  // until it is shut down and empty
                mine.add(text);
                bar.advance();
            }
            log(fmt::format("counted {} files", mine.files));
            results.put(std::move(mine));
        }));
    }
    for (std::size_t i = 0; i < counter_count; ++i) outcome.findings.add(results.get());
    return outcome;
}

}  // namespace

bool show_pipeline(Reference& reference, std::size_t workers) {
    fmt::print("A pipeline with a bounded queue\n");
    const auto start = Clock::now();
    const Outcome outcome = read_in_a_pipeline(reference.files(), workers);
    const double seconds = seconds_since(start);
    fmt::print(
        "  One thread read, {} counted, and a Queue with room for {} files between them kept the\n"
        "  memory small: {}. The reader found it full {} times.\n",
        workers, kRoom, reference.describe(seconds), outcome.times_full);
    return reference.confirms(outcome.findings == reference.findings(),
                              "The same counts and the same digest");
}

}  // namespace tour
