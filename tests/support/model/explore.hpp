#pragma once

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "model/scheduler.hpp"

// Searching the interleavings of a small program.
//
//     const auto report = model::explore([](model::Execution& run) {
//         Lock lock;
//         int counter = 0;
//         for (int i = 0; i < 2; ++i) {
//             run.thread([&] { lock.acquire(); model::change(counter, +1); lock.release(); });
//         }
//         run.go();
//         model::require(counter == 2, "both have counted");
//     });
//     EXPECT_TRUE(model::holds(report));
//
// The program is run again and again, each time with other decisions about which thread goes on at
// each atomic operation and futex call. docs/decisions/0004-model.md says what this covers.

namespace weft::model {

/// One execution of a program.
class Execution {
public:
    /// Adds a thread. A thread that throws fails the search.
    void thread(std::function<void()> body) { bodies_.push_back(std::move(body)); }
    /// Runs the threads added so far to their ends, and forgets them.
    void go();

private:
    friend class Search;
    Execution(const Bounds& bounds, Chooser& chooser) : bounds_(bounds), chooser_(chooser) {}

    const Bounds& bounds_;
    Chooser& chooser_;
    std::vector<std::function<void()>> bodies_;
};

using Program = std::function<void(Execution&)>;

/// What a search has found.
struct Report {
    bool has_failed = false;
    std::string failure;  ///< what went wrong
    std::string replay;   ///< as the value of WEFT_MODEL_REPLAY it leads there again
    std::uint64_t executions = 0;
    bool is_complete = false;  ///< there are no further executions within the bounds
};

/// Tries every interleaving within the bounds, up to `most` executions.
Report explore(const Program& program, const Bounds& bounds = {}, std::uint64_t most = 2'000'000);

/// Tries `count` interleavings at random: threads have random priorities, which change at a few
/// random places. The bound on preemptions does not apply.
Report sample(const Program& program, const Bounds& bounds, std::uint64_t count,
              std::uint64_t seed);

/// Fails the search unless the condition is true. May be called in threads and by the program.
void require(bool condition, const char* what);

/// A point at which other threads may run, for what the program itself shares.
void pause_here();

/// Changes a plain variable in two steps, as a processor does, so that an update is lost if another
/// thread changes it at the same time.
void change(int& variable, int by);

/// Success unless the report tells of a failure.
testing::AssertionResult holds(const Report& report);

/// True in the long run of the tests (WEFT_TEST_FULL is set).
bool is_full_run();

}  // namespace weft::model
