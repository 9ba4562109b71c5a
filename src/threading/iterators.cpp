#include <weft/threading/iterators.hpp>

#include <stdexcept>

#include "detail/fmt.hpp"

namespace weft::detail {

void Turnstile::throw_inside() {
    throw std::runtime_error(
        "next: the range asks its own serialize_iterator or concurrent_tee for an item, which it "
        "is about to give");
}

void check_tee_count(std::ptrdiff_t n) {
    if (n < 0) {
        throw std::invalid_argument(
            fmt::format("concurrent_tee: n must not be negative, and is {}", n));
    }
}

}  // namespace weft::detail
