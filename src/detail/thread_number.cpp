#include <weft/detail/thread_number.hpp>

#include <weft/detail/atomic.hpp>

namespace weft::detail {

std::uint64_t make_thread_number() noexcept {
    static constinit Atomic<std::uint64_t> last{0};
    static constinit thread_local std::uint64_t number = 0;
    if (number == 0) number = last.fetch_add(1, std::memory_order_relaxed) + 1;
    return number;
}

}  // namespace weft::detail
