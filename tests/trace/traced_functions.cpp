#include "trace/traced_functions.hpp"

#include <stdexcept>

namespace traced {

namespace {

[[gnu::noinline]] int hidden(int n) {
    return n + 3;
}

}  // namespace

const int hidden_line = __LINE__ - 6;

int leaf(int n) {
    return n + 1;
}

const int leaf_line = __LINE__ - 4;

int outer(int n) {
    return leaf(n) + leaf(n + 1);
}

int with_hidden(int n) {
    return hidden(n);
}

void throw_one() {
    throw std::domain_error("one");
}

int Shape::corners() const {
    return 4;
}

}  // namespace traced

int traced_c_function(int n) {
    return n;
}
