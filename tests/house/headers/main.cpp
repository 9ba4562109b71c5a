// Every installed header was compiled into this program in several units: that it links is the
// test.

#include <cstdio>

#include <weft/version.hpp>

int main() {
    std::printf("headers of Weft %d, library %s\n", WEFT_VERSION, weft::version_string());
    return weft::version() == WEFT_VERSION ? 0 : 1;
}
