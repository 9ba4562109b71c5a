// Any bytes taken for a source file: what the tour finds in them is made of identifiers, and is the
// same whether the text is read whole or in two parts that meet between words.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>
#include <utility>

#include "../tools/weft/identifiers.hpp"
#include "support/check.hpp"

namespace {

bool is_word_character(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    tour::Findings whole;
    whole.add(text);
    WEFT_FUZZ_CHECK(whole.bytes == size && whole.files == 1);
    for (const auto& [name, count] : whole.counts) {
        WEFT_FUZZ_CHECK(count > 0 && std::ranges::all_of(name, is_word_character));
        WEFT_FUZZ_CHECK(text.find(name) != std::string_view::npos);
    }

    const auto ranking = whole.ranking(10);
    WEFT_FUZZ_CHECK(ranking.size() == std::min<std::size_t>(10, whole.counts.size()));
    WEFT_FUZZ_CHECK(std::ranges::is_sorted(ranking, std::ranges::greater(),
                                           [](const auto& entry) { return entry.second; }));

    const auto gap = std::ranges::find_if_not(text, is_word_character) - text.begin();
    tour::Findings parts;
    tour::Findings rest;
    parts.add(text.substr(0, static_cast<std::size_t>(gap)));
    rest.add(text.substr(static_cast<std::size_t>(gap)));
    parts.add(std::move(rest));
    WEFT_FUZZ_CHECK(parts.counts == whole.counts);
    return 0;
}
