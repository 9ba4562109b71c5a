#pragma once

// {fmt}, compiled once for all of Weft, in fmt.cpp: as a header-only library it would be compiled again
// with every source, which takes longer than the source itself. The namespace inside fmt is our own, so
// that a program may link Weft's archive together with any libfmt.

#define FMT_BEGIN_NAMESPACE \
    namespace fmt {         \
    inline namespace weft {
#define FMT_END_NAMESPACE \
    }                     \
    }

#include <fmt/format.h>
