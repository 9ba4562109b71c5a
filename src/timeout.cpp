#include <weft/timeout.hpp>

#include <stdexcept>

namespace weft {

void Timeout::throw_not_a_number() {
    throw std::invalid_argument("Timeout: the limit is not a number (NaN)");
}

void Timeout::throw_too_large() {
    throw std::overflow_error("Timeout: the limit is above TIMEOUT_MAX (9223372036 seconds)");
}

}  // namespace weft
