// A user's program: two units that include Weft, and use something compiled of it.

#include <weft/weft.hpp>

#include <cstdio>
#include <mutex>

int count_in_second_unit(weft::threading::Lock& lock);

int main() {
    weft::threading::Lock lock;
    int count = 0;
    {
        std::scoped_lock held(lock);
        ++count;
    }
    count += count_in_second_unit(lock);
    std::printf("stranger used weft %s\n", weft::version_string());
    return count == 2 && weft::version() == WEFT_VERSION && !lock.locked() ? 0 : 1;
}
