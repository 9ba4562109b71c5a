// Any template and any arguments of `weft map`: its words are what a shell makes of its line. The
// first line of the input is the template, the arguments follow, separated by NUL bytes.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "../tools/weft/map_template.hpp"
#include "support/check.hpp"

namespace {

/// The words of a line of which the unquoted part is plain; nothing when a quote does not end.
std::optional<std::vector<std::string>> split(std::string_view line) {
    std::vector<std::string> words;
    bool is_open = false;
    while (!line.empty()) {
        const char c = line.front();
        line.remove_prefix(1);
        if (c == ' ' || c == '\t') {
            is_open = false;
            continue;
        }
        if (!std::exchange(is_open, true)) words.emplace_back();
        if (c != '\'' && c != '"') {
            words.back() += c;
            continue;
        }
        const std::size_t end = line.find(c);
        if (end == std::string_view::npos) return std::nullopt;
        words.back() += line.substr(0, end);
        line.remove_prefix(end + 1);
    }
    return words;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view input(reinterpret_cast<const char*>(data), size);
    const std::size_t end = std::min(input.find('\n'), input.size());
    const std::string text(input.substr(0, end));
    if (text.find('\0') != std::string::npos) return 0;
    std::vector<std::string> arguments(1);
    for (const char c : input.substr(std::min(end + 1, input.size()))) {
        if (c == '\0') {
            arguments.emplace_back();
        } else {
            arguments.back() += c;
        }
    }
    const map::Command command = map::Template({text}).expand(arguments, 12, 3);
    if (!command.words.empty()) WEFT_FUZZ_CHECK(split(command.line) == command.words);
    const map::Command line = map::Template::of_line(text);
    if (!line.words.empty()) WEFT_FUZZ_CHECK(split(line.line) == line.words);
    return 0;
}
