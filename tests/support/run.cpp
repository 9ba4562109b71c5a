#include "support/run.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/leaks.hpp"
#include "support/watchdog.hpp"

namespace weft::test {

int run_all_tests(int argc, char** argv) {
    testing::InitGoogleMock(&argc, argv);
    const TemporaryHome home;
    // GoogleTest owns its listeners. Those added last hear of a case's end first, so what they find
    // still counts as the case's failure.
    auto& listeners = testing::UnitTest::GetInstance()->listeners();
    listeners.Append(new Watchdog(home.path()));
    listeners.Append(new Leaks(home.path()));
    return RUN_ALL_TESTS();
}

}  // namespace weft::test
