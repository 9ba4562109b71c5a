#pragma once

#include <gtest/gtest.h>

#include <string>

namespace weft::test {

/// Ends the program when a case does not end within its budget: prints the case's name and the
/// stacks of all threads to standard error, then _exit(kHangStatus). Also watches over the end of
/// the program, after the last case.
///
/// It has no thread of its own (cases may need a process with a single thread) but a timer, whose
/// signal SIGRTMIN + 3 is handled by any thread that has not blocked it. A forked child is not
/// watched.
class Watchdog : public testing::EmptyTestEventListener {
public:
    static constexpr int kHangStatus = 70;

    /// An empty `temporary_directory` is removed before the program is ended.
    explicit Watchdog(const std::string& temporary_directory);

    void OnTestStart(const testing::TestInfo& info) override;
    void OnTestEnd(const testing::TestInfo& info) override;
    void OnTestProgramEnd(const testing::UnitTest& unit_test) override;
};

}  // namespace weft::test
