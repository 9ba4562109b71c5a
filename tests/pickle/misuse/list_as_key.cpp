#include <weft/pickle.hpp>

#include <map>
#include <string>
#include <vector>

int main() {
    weft::pickle::dumps(std::map<std::vector<std::string>, int>{});
}
