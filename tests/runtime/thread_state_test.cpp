#include "runtime/thread_state.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <thread>

#include "runtime/registry.hpp"
#include "runtime/this_thread.hpp"

namespace {

using weft::detail::ThreadKind;
using weft::detail::ThreadState;
using weft::runtime::registry;
using weft::runtime::this_thread;
using weft::runtime::ThreadPointer;

ThreadPointer make_thread(const char* name) {
    auto thread = std::make_shared<ThreadState>(ThreadKind::started, name, true, nullptr);
    EXPECT_TRUE(thread->begin_start());
    registry.enlist(thread);
    return thread;
}

/// The system gives an identifier to a new thread as soon as the one that had it has been joined:
/// before the joining thread has been able to note that.
TEST(ThreadState, IsNotTheCurrentThreadWhoseIdentifierItHad) {
    std::thread([] {
        const ThreadPointer ended = make_thread("ended");
        const ThreadPointer fresh = make_thread("fresh");
        ASSERT_TRUE(registry.enter(*ended));
        EXPECT_TRUE(ended->is_current());
        ASSERT_TRUE(registry.enter(*fresh));
        ASSERT_EQ(ended->ident(), fresh->ident());
        EXPECT_FALSE(ended->is_current());
        EXPECT_TRUE(fresh->is_current());
        // Neither is one of Weft's that could be joined.
        registry.delist(*ended);
        registry.delist(*fresh);
        this_thread.state = nullptr;
        this_thread.own = nullptr;
    }).join();
}

TEST(ThreadState, IsNotCurrentOnAnyOtherThread) {
    const ThreadPointer main = registry.current();
    EXPECT_TRUE(main->is_current());
    std::thread([&main] {
        EXPECT_FALSE(main->is_current());
        EXPECT_TRUE(registry.current()->is_current());
    }).join();
}

}  // namespace
