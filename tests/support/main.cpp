#include "support/run.hpp"

int main(int argc, char** argv) {
    return weft::test::run_all_tests(argc, argv);
}
