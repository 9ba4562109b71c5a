// Calls that run in a pool's threads, and their results.

#include <cstdio>
#include <exception>
#include <map>
#include <ranges>
#include <stdexcept>
#include <string>
#include <vector>

#include <weft/concurrent/futures.hpp>

using namespace weft;

std::size_t count_words(const std::string& text) {
    if (text.empty()) throw std::invalid_argument("an empty text");
    std::size_t words = 1;
    for (const char letter : text) words += letter == ' ' ? 1 : 0;
    return words;
}

int main() {
    const std::vector<std::string> texts{"to be or not to be", "", "all is well"};
    futures::ThreadPoolExecutor pool({.max_workers = 3, .thread_name_prefix = "counter"});

    // One call, one future.
    futures::Future<std::size_t> first = pool.submit(count_words, texts[0]);
    std::printf("%zu words\n", first.result());

    // Many, in the order in which they end; what a call threw comes out of result().
    std::map<futures::Future<std::size_t>, std::string> text_of;
    for (const auto& text : texts) text_of.emplace(pool.submit(count_words, text), text);
    std::size_t sum = 0;
    std::size_t failures = 0;
    for (auto& each : futures::as_completed(std::views::keys(text_of))) {
        try {
            sum += each.result();
        } catch (const std::exception& error) {
            std::printf("'%s': %s\n", text_of.at(each).c_str(), error.what());
            ++failures;
        }
    }

    // The same function for a whole range, in the order of the inputs.
    std::size_t letters = 0;
    for (const std::size_t size : pool.map(&std::string::size, texts)) letters += size;
    std::printf("%zu words, %zu letters\n", sum, letters);
    return sum == 9 && failures == 1 && letters == 29 ? 0 : 1;
}  // waits for what is still running
