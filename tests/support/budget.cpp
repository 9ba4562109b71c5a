#include "support/budget.hpp"

#include <cstdlib>
#include <fstream>
#include <string>

#if defined(__has_feature)
#    if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#        define WEFT_TEST_IS_SANITIZED 1
#    endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#    define WEFT_TEST_IS_SANITIZED 1
#endif

namespace weft::test {

#ifndef WEFT_TEST_IS_SANITIZED
namespace {

bool runs_under_valgrind() {
    std::ifstream maps("/proc/self/maps");
    std::string line;
    while (std::getline(maps, line)) {
        if (line.find("vgpreload_") != std::string::npos) return true;
    }
    return false;
}

}  // namespace
#endif

int slowness() {
#ifdef WEFT_TEST_IS_SANITIZED
    return 10;
#else
    static const int known = runs_under_valgrind() ? 10 : 1;
    return known;
#endif
}

std::chrono::seconds case_budget() {
    if (const char* const text = std::getenv("WEFT_TEST_BUDGET"); text != nullptr) {
        const long seconds = std::strtol(text, nullptr, 10);
        if (seconds > 0) return std::chrono::seconds(seconds);
    }
    return std::chrono::seconds(60 * slowness());
}

}  // namespace weft::test
