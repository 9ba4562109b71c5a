// Compiled once for each way in which CMakeLists.txt breaks an engine: the model must find it.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "primitive_programs.hpp"
#include "programs.hpp"

namespace {

using namespace weft::model;

TEST(WEFT_MUTANT, IsFound) {
    const Report report = explore(WEFT_MUTANT_PROGRAM, WEFT_MUTANT_BOUNDS);
    EXPECT_THAT(report.failure, testing::HasSubstr("nobody can run"))
        << report.executions << " executions, complete: " << report.is_complete;
}

}  // namespace
