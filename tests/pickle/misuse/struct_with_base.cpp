#include <weft/pickle.hpp>

struct Base {
    int a = 0;
};
struct Derived : Base {
    int b = 0;
};

int main() {
    weft::pickle::dumps(Derived{});
}
