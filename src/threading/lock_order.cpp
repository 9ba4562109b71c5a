#include <weft/threading/lock_order.hpp>

#include <weft/detail/lock_order.hpp>

namespace weft::threading {

bool check_lock_order(bool on) noexcept {
    return weft::detail::set_lock_order_check(on);
}

}  // namespace weft::threading
