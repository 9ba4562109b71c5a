#include <weft/pickle.hpp>

class Account {
public:
    explicit Account(int id) : id_(id) {}

private:
    int id_;
};

int main() {
    weft::pickle::dumps(Account(5));
}
