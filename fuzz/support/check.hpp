#pragma once

#include <cstdio>
#include <cstdlib>

/// A fuzzer's assertion: says what does not hold and stops, in every kind of build.
#define WEFT_FUZZ_CHECK(condition)                                                       \
    do {                                                                                 \
        if (!(condition)) {                                                              \
            std::fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition); \
            std::abort();                                                                \
        }                                                                                \
    } while (false)
