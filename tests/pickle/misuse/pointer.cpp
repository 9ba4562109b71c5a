#include <weft/pickle.hpp>

int main() {
    int number = 5;
    int* pointer = &number;
    weft::pickle::dumps(pointer);
}
