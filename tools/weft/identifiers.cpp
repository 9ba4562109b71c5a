#include "identifiers.hpp"

#include <algorithm>
#include <array>
#include <fstream>
#include <iterator>
#include <system_error>

namespace tour {

namespace {

constexpr std::array<std::string_view, 62> kKeywords = {
    "alignas",  "auto",      "bool",     "break",    "case",    "catch",     "char",    "class",
    "const",    "constexpr", "continue", "decltype", "default", "define",    "defined", "delete",
    "do",       "double",    "elif",     "else",     "endif",   "enum",      "error",   "explicit",
    "extern",   "false",     "float",    "for",      "friend",  "goto",      "if",      "ifdef",
    "ifndef",   "include",   "inline",   "int",      "long",    "namespace", "new",     "noexcept",
    "operator", "pragma",    "private",  "public",   "return",  "short",     "signed",  "sizeof",
    "static",   "struct",    "switch",   "template", "this",    "true",      "typedef", "typename",
    "undef",    "union",     "unsigned", "using",    "virtual", "void"};

bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

/// FNV-1a.
std::uint64_t digest_of(std::string_view text) {
    constexpr std::uint64_t kPrime = 1'099'511'628'211U;
    std::uint64_t hash = 14'695'981'039'346'656'037U;
    for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * kPrime;
    return hash;
}

/// Where the text goes on after the comment, the quoted string or the single character at `i`.
std::size_t after_comment_or_character(std::string_view text, std::size_t i) {
    const auto after = [&](std::string_view end, std::size_t from) {
        const std::size_t found = text.find(end, from);
        return found == std::string_view::npos ? text.size() : found + end.size();
    };
    if (text.substr(i, 2) == "//") return after("\n", i + 2);
    if (text.substr(i, 2) == "/*") return after("*/", i + 2);
    if (text[i] != '"') return i + 1;
    for (++i; i < text.size() && text[i] != '"' && text[i] != '\n'; ++i) {
        if (text[i] == '\\') ++i;
    }
    return std::min(i + 1, text.size());
}

}  // namespace

void Findings::add(std::string_view text) {
    for (std::size_t i = 0; i < text.size();) {
        if (is_letter(text[i]) || is_digit(text[i])) {
            const std::size_t start = i;
            while (i < text.size() && (is_letter(text[i]) || is_digit(text[i]))) ++i;
            count(text.substr(start, i - start));
        } else {
            i = after_comment_or_character(text, i);
        }
    }
    digest += digest_of(text);
    bytes += text.size();
    ++files;
}

void Findings::count(std::string_view word) {
    if (is_digit(word.front()) || std::ranges::binary_search(kKeywords, word)) return;
    const auto found = counts.find(word);
    if (found != counts.end()) {
        ++found->second;
    } else {
        counts.emplace(word, 1);
    }
}

void Findings::add(Findings&& other) {
    // The smaller part is added to the larger one.
    if (counts.size() < other.counts.size()) counts.swap(other.counts);
    for (const auto& [name, count] : other.counts) counts[name] += count;
    digest += other.digest;
    bytes += other.bytes;
    files += other.files;
}

std::vector<std::pair<std::string, std::uint64_t>> Findings::ranking(std::size_t count) const {
    std::vector<std::pair<std::string, std::uint64_t>> best(std::min(count, counts.size()));
    std::ranges::partial_sort_copy(counts, best, is_more_frequent);
    return best;
}

bool is_more_frequent(const std::pair<std::string, std::uint64_t>& a,
                      const std::pair<std::string, std::uint64_t>& b) {
    return a.second != b.second ? a.second > b.second : a.first < b.first;
}

std::vector<std::filesystem::path> list_headers(const std::filesystem::path& folder) {
    namespace fs = std::filesystem;
    std::vector<fs::path> headers;
    std::error_code error;
    auto each = fs::recursive_directory_iterator(
        folder, fs::directory_options::skip_permission_denied, error);
    for (; !error && each != fs::end(each); each.increment(error)) {
        const std::string suffix = each->path().extension().string();
        std::error_code ignored;
        if ((suffix == ".h" || suffix == ".hpp") && each->is_regular_file(ignored)) {
            headers.push_back(each->path());
        }
    }
    std::ranges::sort(headers);
    return headers;
}

std::string read_file(const std::filesystem::path& file) {
    std::ifstream stream(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
}

}  // namespace tour
