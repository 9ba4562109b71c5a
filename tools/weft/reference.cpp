#include "reference.hpp"

#include <utility>

#include <fmt/format.h>

#include "progress_bar.hpp"

namespace tour {

double seconds_since(Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
}

Reference::Reference(Paths files) : files_(std::move(files)) {
    {
        ProgressBar bar("looking at the files", files_.size());
        for (const auto& file : files_) {
            read_file(file);
            bar.advance();
        }
    }
    read();
}

void Reference::read() {
    findings_ = {};
    digests_.clear();
    ProgressBar bar("reading one file after the other", files_.size());
    const auto start = Clock::now();
    for (const auto& file : files_) {
        const std::uint64_t before = findings_.digest;
        findings_.add(read_file(file));
        digests_.push_back(findings_.digest - before);
        bar.advance();
    }
    seconds_ = seconds_since(start);
}

std::string Reference::describe(double seconds) const {
    constexpr double kComparable = 0.05;
    std::string time = fmt::format("in {:.2f} s", seconds);
    if (seconds_ < kComparable) return time;
    return fmt::format("{}, {:.2f} times as fast", time, seconds_ / seconds);
}

bool Reference::confirms(bool is_same, std::string_view what) {
    if (is_same) {
        fmt::print("  {} as one thread found.\n", what);
        return true;
    }
    const std::vector<std::uint64_t> before = digests_;
    read();
    if (digests_ != before) {
        fmt::print("  The files have changed meanwhile, so this cannot be compared.\n");
        return true;
    }
    fmt::print("  It is NOT what one thread found: this is a bug in Weft, please report it.\n");
    return false;
}

}  // namespace tour
