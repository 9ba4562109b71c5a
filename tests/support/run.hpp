#pragma once

namespace weft::test {

/// What the main function of every test program does: runs all cases under the watchdog and the
/// check for leftovers, with a temporary directory of the program's own. Returns the exit status.
/// A program whose main has something else to do first calls this instead of linking main.cpp.
int run_all_tests(int argc, char** argv);

}  // namespace weft::test
