#include <weft/pickle.hpp>

struct Base {
    int a = 0;
};
struct Derived : Base {
    int b = 0;
};
template <class Archive>
void serialize(Archive& archive, Derived& d) {
    archive(d.a, d.b);
}

int main() {
    weft::pickle::register_class<Derived, Base>("module.Derived");
}
