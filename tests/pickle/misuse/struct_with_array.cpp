#include <weft/pickle.hpp>

struct Row {
    int numbers[3];
    int count;
};

int main() {
    weft::pickle::dumps(Row{});
}
