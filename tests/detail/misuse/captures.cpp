#include <weft/detail/callable.hpp>

int main() {
    int captured = 5;
    weft::detail::pack_call([captured](int n) { return n + captured; }, 1);
}
