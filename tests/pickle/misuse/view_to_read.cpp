#include <weft/pickle.hpp>

#include <string_view>

int main() {
    weft::pickle::loads<std::string_view>(weft::pickle::dumps("text"));
}
