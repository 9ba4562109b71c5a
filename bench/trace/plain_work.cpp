#include "trace/traced_work.hpp"

int bench::plain_work(int n) {
    return n + 1;
}
