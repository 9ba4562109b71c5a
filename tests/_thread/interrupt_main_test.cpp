#include <weft/_thread/interrupt_main.hpp>

#include <gtest/gtest.h>

#include <limits>
#include <stdexcept>
#include <thread>

#include <weft/errors.hpp>
#include <weft/keyboard_interrupt.hpp>
#include <weft/manual_clock.hpp>
#include <weft/threading/lock.hpp>

#include "_thread/handled_signal.hpp"

namespace {

using namespace weft::test;
using weft::_thread::interrupt_main;

TEST(InterruptMain, RunsTheHandlerOnTheMainThreadFromAnother) {
    const Disposition disposition(SIGUSR2, note);
    std::jthread([] { interrupt_main(SIGUSR2); }).join();
    while (handled == 0) std::this_thread::yield();
    EXPECT_EQ(handled, SIGUSR2);
    EXPECT_EQ(handled_on, getpid());
}

TEST(InterruptMain, EndsTheMainThreadsWait) {
    const weft::KeyboardInterruptGuard guard;
    weft::ManualClock clock;
    const auto installed = clock.install();
    weft::threading::Lock lock;
    lock.acquire();
    const std::jthread other([&clock] {
        clock.wait_for_sleepers(1);
        interrupt_main();
    });
    EXPECT_THROW(lock.acquire(true, 3600), weft::KeyboardInterrupt);
    EXPECT_TRUE(lock.locked());
}

TEST(InterruptMain, DoesNothingWhereTheSignalHasNoHandler) {
    for (void (*const handler)(int) : {SIG_DFL, SIG_IGN}) {
        const Disposition disposition(SIGINT, handler);
        interrupt_main();
        interrupt_main(SIGINT);
        std::jthread([] { interrupt_main(); }).join();
    }
    const Disposition disposition(SIGTERM, SIG_DFL);
    interrupt_main(SIGTERM);
    interrupt_main(SIGKILL);
    EXPECT_EQ(handled, 0);
}

TEST(InterruptMain, RefusesWhatIsNoSignal) {
    for (const int number :
         {0, -1, 65, 1'000'000, std::numeric_limits<int>::max(), std::numeric_limits<int>::min()}) {
        EXPECT_THROW(interrupt_main(number), std::invalid_argument) << number;
    }
    // Those that the C library keeps for itself are signals, without a handler of the program's.
    EXPECT_NO_THROW(interrupt_main(32));
    EXPECT_NO_THROW(interrupt_main(64));
}

}  // namespace
