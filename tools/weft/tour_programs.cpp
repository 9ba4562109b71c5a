#include "tour_programs.hpp"

#include <charconv>
#include <chrono>
#include <string>

#include <fmt/format.h>
#include <weft/subprocess.hpp>

namespace tour {

namespace subprocess = weft::subprocess;

bool show_programs(const std::vector<std::filesystem::path>& files, std::size_t bytes) {
    using Clock = std::chrono::steady_clock;
    fmt::print("Other programs\n");
    std::string names;
    for (const auto& file : files) names += file.string() + '\0';

    const auto start = Clock::now();
    const auto done = (subprocess::cmd({"xargs", "-0", "cat"}) | subprocess::cmd({"wc", "-c"}))
                          .run({.stdout_ = subprocess::PIPE, .input = names, .check = true});
    const double seconds = std::chrono::duration<double>(Clock::now() - start).count();

    std::size_t counted = 0;
    std::from_chars(done.stdout_.data(), done.stdout_.data() + done.stdout_.size(), counted);
    fmt::print(
        "  The pipeline `xargs -0 cat | wc -c` read the same {} files in {:.2f} s and "
        "counted {:.1f} MB.\n",
        files.size(), seconds, static_cast<double>(counted) / 1e6);
    if (counted != bytes) {
        fmt::print(
            "  That is NOT what the threads read: this is a bug in Weft, please report it.\n");
    }
    return counted == bytes;
}

}  // namespace tour
