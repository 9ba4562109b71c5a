// One range for several threads: each item to one of them, or every item to all.

#include <array>
#include <cstdio>
#include <ranges>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <weft/threading.hpp>

using namespace weft;

using Words = std::ranges::istream_view<std::string>;

Words read_words(std::istream& stream) {
    return Words(stream);
}

int main() {
    std::istringstream orders("bolt nut screw washer nail hinge");
    threading::serialize_iterator jobs(read_words(orders));
    std::array<int, 3> done{};
    {
        std::vector<threading::Joining> workers;
        for (int& count : done) {
            workers.emplace_back(threading::Thread([jobs, &count] {
                for (const std::string& job : jobs) count += !job.empty();
            }));
        }
    }
    std::printf("the workers did %d + %d + %d jobs\n", done[0], done[1], done[2]);

    // A function whose every result may be shared.
    const auto shared_words = threading::synchronized_iterator(read_words);
    std::istringstream more("one two");
    const auto two = shared_words(more);
    const bool is_first = two.next() == "one";

    // Every word to both: one counts, one looks for the longest.
    std::istringstream text("each of the two sees everything");
    auto [left, right] = threading::concurrent_tee(read_words(text));
    int count = 0;
    std::string longest;
    {
        threading::Joining counter(threading::Thread([&count, words = std::move(left)]() mutable {
            for (const std::string& word : words) count += !word.empty();
        }));
        for (const std::string& word : right) {
            if (word.size() > longest.size()) longest = word;
        }
    }
    std::printf("%d words, the longest is %s\n", count, longest.c_str());
    return done[0] + done[1] + done[2] == 6 && is_first && count == 6 && longest == "everything"
               ? 0
               : 1;
}
