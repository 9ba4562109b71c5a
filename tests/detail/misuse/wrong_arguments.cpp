#include <weft/detail/callable.hpp>

int main() {
    weft::detail::pack_call([](int n) { return n; }, 1, 2);
}
