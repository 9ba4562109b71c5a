// What interrupt_main() does before it returns on the main thread.

#include <weft/_thread/interrupt_main.hpp>

#include <gtest/gtest.h>

#include <weft/errors.hpp>
#include <weft/keyboard_interrupt.hpp>

#include "_thread/handled_signal.hpp"

namespace {

using namespace weft::test;
using weft::_thread::interrupt_main;

TEST(InterruptMain, RunsTheHandlerOnTheMainThreadBeforeItReturnsThere) {
    const Disposition disposition(SIGUSR1, note);
    interrupt_main(SIGUSR1);
    EXPECT_EQ(handled, SIGUSR1);
    EXPECT_EQ(handled_on, getpid());
}

TEST(InterruptMain, IsCtrlCUnlessToldOtherwise) {
    const weft::KeyboardInterruptGuard guard;
    interrupt_main();
    EXPECT_THROW(guard.check(), weft::KeyboardInterrupt);
    EXPECT_NO_THROW(guard.check());
}

}  // namespace
