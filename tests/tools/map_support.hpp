#pragma once

#include <string>
#include <utility>
#include <vector>

#include <weft/subprocess.hpp>

#include "subprocess/support.hpp"

namespace weft::test {

/// What a run of the program gave.
struct MapResult {
    std::string output;
    std::string errors;
    int status = 0;
};

inline std::vector<std::string> map_words(std::vector<std::string> words) {
    words.insert(words.begin(), {WEFT_PROGRAM, "map"});
    return words;
}

/// `weft map` with these words, in this folder; ended after a minute in any case.
inline MapResult weft_map(std::vector<std::string> words, std::string input = {},
                          const std::filesystem::path& folder = "/") {
    auto done = subprocess::run(
        subprocess::Args(map_words(std::move(words))),
        {.input = std::move(input), .capture_output = true, .timeout = 60.0, .cwd = folder});
    return {.output = std::move(done.stdout_),
            .errors = std::move(done.stderr_),
            .status = done.returncode};
}

}  // namespace weft::test
