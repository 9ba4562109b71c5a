// Any bits taken for two numbers of seconds: Timeout refuses exactly what it says it refuses, and
// otherwise keeps sign and order and never shortens.

#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <stdexcept>

#include <weft/timeout.hpp>

#include "support/check.hpp"

namespace {

std::optional<weft::Timeout> timeout_of(double seconds) {
    try {
        return weft::Timeout(seconds);
    } catch (const std::invalid_argument&) {
        WEFT_FUZZ_CHECK(std::isnan(seconds));
    } catch (const std::overflow_error&) {
        WEFT_FUZZ_CHECK(seconds > weft::TIMEOUT_MAX);
    }
    return std::nullopt;
}

void check_one(double seconds, weft::Timeout timeout) {
    WEFT_FUZZ_CHECK(!timeout.is_none());
    const auto length = static_cast<double>(timeout.length().count());
    WEFT_FUZZ_CHECK(length >= std::fmax(seconds, -weft::TIMEOUT_MAX) * 1e9);
    // Rounded up to the next nanosecond: a tiny negative number of seconds becomes zero.
    WEFT_FUZZ_CHECK(timeout.is_negative() == (seconds * 1e9 <= -1.0));
    WEFT_FUZZ_CHECK(weft::Timeout(std::chrono::duration<double>(seconds)) == timeout);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    double numbers[2];
    if (size < sizeof numbers) return 0;
    std::memcpy(numbers, data, sizeof numbers);
    const auto first = timeout_of(numbers[0]);
    const auto second = timeout_of(numbers[1]);
    if (first) check_one(numbers[0], *first);
    if (second) check_one(numbers[1], *second);
    if (first && second && numbers[0] <= numbers[1]) {
        WEFT_FUZZ_CHECK(first->length() <= second->length());
    }
    return 0;
}
