#include <weft/pickle.hpp>

#include <stdexcept>

struct Failure final : std::runtime_error {
    using std::runtime_error::runtime_error;
};

int main() {
    weft::pickle::register_exception<Failure>("module.Failure");
}
