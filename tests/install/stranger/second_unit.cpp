#include <weft/weft.hpp>

int count_in_second_unit(weft::threading::Lock& lock);

int count_in_second_unit(weft::threading::Lock& lock) {
    if (!lock.acquire(true, 1.0)) return 0;
    lock.release();
    return 1;
}
