#include <weft/pickle.hpp>

int main() {
    weft::pickle::dumps(1.5L);
}
