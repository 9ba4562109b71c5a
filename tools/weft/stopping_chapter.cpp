#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <fmt/format.h>
#include <weft/threading.hpp>

#include "chapters.hpp"

namespace tour {

namespace {

namespace threading = weft::threading;
using namespace std::chrono_literals;

constexpr auto kTime = 200ms;

/// What one thread has read when it is stopped: how often each file, and what all that adds up to.
struct Share {
    std::vector<std::size_t> times;
    Findings findings;
};

/// Reads the files in turn, from its own place on, and begins again at the end.
void read_until(const threading::Event& stop, const Paths& files, std::size_t first, Share& share) {
    share.times.resize(files.size());
    for (std::size_t i = first % files.size(); !stop.is_set(); i = (i + 1) % files.size()) {
        share.findings.add(read_file(files[i]));
        ++share.times[i];
    }
}

}  // namespace

bool show_stopping(Reference& reference, std::size_t workers) {
    fmt::print("An event that stops\n");
    const Paths& files = reference.files();
    std::vector<Share> shares(workers);
    threading::Event stop;
    const auto start = Clock::now();
    {
        std::vector<threading::Joining> readers;
        for (std::size_t i = 0; i < workers; ++i) {
            readers.emplace_back(threading::Thread(
                {.name = fmt::format("endless-{}", i + 1)},
                [&, i] { read_until(stop, files, i * files.size() / workers, shares[i]); }));
        }
        threading::Timer(kTime, [&stop] { stop.set(); }).start();
        stop.wait();
    }
    const double seconds = seconds_since(start);

    std::size_t read = 0;
    std::uint64_t digest = 0;
    std::uint64_t expected = 0;
    for (const Share& share : shares) {
        read += share.findings.files;
        digest += share.findings.digest;
        for (std::size_t i = 0; i < share.times.size(); ++i) {
            expected += share.times[i] * reference.digest(i);
        }
    }
    fmt::print(
        "  {} threads read on without end, until a Timer set an Event after {} ms: they were back\n"
        "  after {:.2f} s, and had read {} files.\n",
        workers, kTime.count(), seconds, read);
    return reference.confirms(digest == expected, "Those files have the same digest");
}

}  // namespace tour
