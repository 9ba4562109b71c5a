#include <limits>

#include "house/headers/windows_macros.hpp"

// What a public header must not do: the macro takes `small` for `char`.
int small = 0;

int main() {
    return small;
}
