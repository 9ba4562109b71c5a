#include "trace/traced_work.hpp"

int bench::traced_work(int n) {
    return n + 1;
}
