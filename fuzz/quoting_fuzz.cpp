// Any arguments: what list2cmdline and join write is read back as the same arguments, by the rules
// of the Microsoft C runtime and by the C library's own reader of shell words.

#include <wordexp.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <weft/subprocess.hpp>

#include "support/check.hpp"

namespace {

/// The arguments of a program on Windows, from its command line.
std::vector<std::string> split_windows(std::string_view line) {
    std::vector<std::string> all;
    std::string current;
    bool is_quoted = false;
    bool has_begun = false;
    for (std::size_t at = 0; at < line.size(); ++at) {
        std::size_t backslashes = 0;
        while (at < line.size() && line[at] == '\\') {
            ++backslashes;
            ++at;
        }
        const char c = at < line.size() ? line[at] : '\0';
        if (backslashes > 0) has_begun = true;
        if (c == '"') {
            current.append(backslashes / 2, '\\');
            has_begun = true;
            if (backslashes % 2 == 1) {
                current += '"';
            } else {
                is_quoted = !is_quoted;
            }
            continue;
        }
        current.append(backslashes, '\\');
        if (at == line.size()) break;
        if ((c == ' ' || c == '\t') && !is_quoted) {
            if (has_begun) all.push_back(current);
            current.clear();
            has_begun = false;
        } else {
            current += c;
            has_begun = true;
        }
    }
    if (has_begun) all.push_back(current);
    return all;
}

std::vector<std::string> split_shell(const std::string& line) {
    const std::string text =
        weft::subprocess::check_output("printf '%s\\0' " + line, {.shell = true});
    std::vector<std::string> all;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = text.find('\0', at);
        all.push_back(text.substr(at, end - at));
        at = end + 1;
    }
    return all;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    // Arguments are separated by NUL bytes, which none of them can hold.
    std::vector<std::string> arguments(1);
    for (std::size_t i = 0; i < size; ++i) {
        if (data[i] == 0) {
            arguments.emplace_back();
        } else {
            arguments.back() += static_cast<char>(data[i]);
        }
    }
    const weft::subprocess::Args args(arguments);
    WEFT_FUZZ_CHECK(split_windows(weft::subprocess::list2cmdline(args)) == arguments);
    WEFT_FUZZ_CHECK(split_shell(weft::subprocess::join(args)) == arguments);
    return 0;
}
