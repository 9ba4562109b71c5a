#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace tour {

/// Lets a map be asked with a string_view.
struct StringHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const noexcept {
        return std::hash<std::string_view>()(text);
    }
};

/// What was found in some source files: how often each identifier stands there, and a digest of the
/// files' contents that does not depend on the order in which they were read.
struct Findings {
    std::unordered_map<std::string, std::uint64_t, StringHash, std::equal_to<>> counts;
    std::uint64_t digest = 0;
    std::uint64_t bytes = 0;
    std::size_t files = 0;

    /// Adds the identifiers of one file's text, without those in comments and strings.
    void add(std::string_view text);
    /// Adds what another reader has found, and uses it up.
    void add(Findings&& other);

    /// The `count` most frequent identifiers, most frequent first, equal ones by name.
    [[nodiscard]] std::vector<std::pair<std::string, std::uint64_t>> ranking(
        std::size_t count) const;

    friend bool operator==(const Findings&, const Findings&) = default;

private:
    void count(std::string_view word);
};

/// The order of a ranking.
bool is_more_frequent(const std::pair<std::string, std::uint64_t>& a,
                      const std::pair<std::string, std::uint64_t>& b);

/// The C and C++ headers below `folder`, sorted; unreadable folders are passed over.
std::vector<std::filesystem::path> list_headers(const std::filesystem::path& folder);

/// The whole content of a file; empty when it cannot be read.
std::string read_file(const std::filesystem::path& file);

}  // namespace tour
