#pragma once

#include <string>

namespace bench {

/// Registers CPython as a contender of a row (see pairs.hpp; `row` may end with a part such as
/// `/threads:2`, which then stands behind the contender). `program` is Python text without single
/// quotes that defines `run(n)`, which does n operations. Each measurement starts python3, which
/// times `run(operations)` itself, after a tenth of it to warm up. Does nothing, and says so, where
/// there is no python3.
void add_cpython(const std::string& row, const std::string& program, long operations);

}  // namespace bench
