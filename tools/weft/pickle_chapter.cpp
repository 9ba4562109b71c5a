#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <weft/pickle.hpp>
#include <weft/subprocess.hpp>

#include "chapters.hpp"

namespace tour {

namespace {

namespace pickle = weft::pickle;
namespace subprocess = weft::subprocess;

using Ranking = std::vector<std::pair<std::string, std::uint64_t>>;

/// Reads the findings (counts by name, and three numbers), ranks the names itself, and sends both
/// back.
constexpr const char* kScript = R"(
import pickle, sys
findings = pickle.load(sys.stdin.buffer)
counts = findings[0]
best = sorted(counts.items(), key=lambda entry: (-entry[1], entry[0]))[:10]
pickle.dump((findings, best), sys.stdout.buffer)
)";

}  // namespace

bool show_pickle(Reference& reference) {
    fmt::print("Values that travel\n");
    const Clock::time_point start = Clock::now();
    const weft::bytes wire = pickle::dumps(reference.findings());
    const std::string input(reinterpret_cast<const char*>(wire.data()), wire.size());
    subprocess::CompletedProcess done;
    try {
        done = subprocess::run({"python3", "-c", kScript},
                               {.stdout_ = subprocess::PIPE, .input = input, .check = true});
    } catch (const std::system_error& error) {
        if (error.code() != std::errc::no_such_file_or_directory) throw;
        fmt::print("  There is no python3 here, so the pickle of {} bytes is read by Weft alone.\n",
                   wire.size());
        return reference.confirms(pickle::loads<Findings>(wire) == reference.findings(),
                                  "The same counts");
    }
    const auto [findings, best] = pickle::loads<std::pair<Findings, Ranking>>(done.stdout_);
    fmt::print(
        "  The findings went to python3 as a pickle of {:.1f} kB. It ranked the names and pickled\n"
        "  both for the way back, {:.1f} kB, in {:.2f} s.\n",
        static_cast<double>(wire.size()) / 1e3, static_cast<double>(done.stdout_.size()) / 1e3,
        seconds_since(start));
    return reference.confirms(
        findings == reference.findings() && best == reference.findings().ranking(10),
        "The same counts and the same ranking");
}

}  // namespace tour
