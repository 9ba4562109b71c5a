#include <weft/pickle.hpp>

int main() {
    weft::pickle::loads<int>("\x80\x04K\x05.");
}
