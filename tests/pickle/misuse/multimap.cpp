#include <weft/pickle.hpp>

#include <map>

int main() {
    weft::pickle::dumps(std::multimap<int, int>{});
}
