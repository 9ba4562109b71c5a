#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "identifiers.hpp"

namespace tour {

using Clock = std::chrono::steady_clock;
using Paths = std::vector<std::filesystem::path>;

double seconds_since(Clock::time_point start);

/// What one thread finds in the files when it reads them one after the other: what every other way
/// is measured by and checked against.
class Reference {
public:
    /// Reads all the files, twice: the second time, which counts, they are in the system's cache.
    explicit Reference(Paths files);

    [[nodiscard]] const Paths& files() const noexcept { return files_; }
    [[nodiscard]] const Findings& findings() const noexcept { return findings_; }
    [[nodiscard]] double seconds() const noexcept { return seconds_; }
    /// "in 0.52 s, 1.9 times as fast", without the comparison where there is too little to compare.
    [[nodiscard]] std::string describe(double seconds) const;
    /// The digest of the contents of one file, by its place among the files.
    [[nodiscard]] std::uint64_t digest(std::size_t file) const { return digests_.at(file); }

    /// Says that another way has found the same, or how it has not. A difference is an error, and
    /// false, unless the files have changed since they were read here.
    [[nodiscard]] bool confirms(bool is_same, std::string_view what);

private:
    void read();

    Paths files_;
    Findings findings_;
    std::vector<std::uint64_t> digests_;
    double seconds_ = 0;
};

}  // namespace tour
