#include "os/exit_lock.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstdio>
#include <future>
#include <memory>
#include <thread>

#include "os/posix/thread.hpp"

namespace {

using weft::os::native_thread_id;
using weft::os::waits_for_lock_of_this_thread;

struct CloseStream {
    void operator()(FILE* stream) const noexcept { fclose(stream); }
};
using Stream = std::unique_ptr<FILE, CloseStream>;

/// A thread that writes to a stream, and the kernel's number of it.
class Writer {
public:
    explicit Writer(FILE* stream)
        : thread_([this, stream] {
              id_.set_value(native_thread_id());
              std::fputc('x', stream);
          }) {}
    std::uint64_t id() { return known_.get(); }

private:
    std::promise<std::uint64_t> id_;
    std::shared_future<std::uint64_t> known_ = id_.get_future();
    std::jthread thread_;
};

void wait_until_held_back(std::uint64_t id) {
    while (!waits_for_lock_of_this_thread(id)) std::this_thread::yield();
}

TEST(ExitLock, AThreadThatWaitsForAStreamOfThisOneIsHeldBack) {
    const Stream stream(std::tmpfile());
    flockfile(stream.get());
    Writer writer(stream.get());
    wait_until_held_back(writer.id());
    funlockfile(stream.get());
}

TEST(ExitLock, AThreadThatWaitsForAnotherOneIsNot) {
    const Stream stream(std::tmpfile());
    flockfile(stream.get());
    Writer writer(stream.get());
    wait_until_held_back(writer.id());
    const std::uint64_t id = writer.id();
    EXPECT_FALSE(
        std::async(std::launch::async, [id] { return waits_for_lock_of_this_thread(id); }).get());
    funlockfile(stream.get());
}

TEST(ExitLock, AThreadThatSleepsOnAnythingElseIsNot) {
    std::promise<std::uint64_t> id;
    std::promise<void> end;
    const std::jthread sleeper([&] {
        id.set_value(native_thread_id());
        end.get_future().wait();
    });
    EXPECT_FALSE(waits_for_lock_of_this_thread(id.get_future().get()));
    end.set_value();
}

TEST(ExitLock, AThreadThatIsGoneIsNot) {
    std::uint64_t id = 0;
    std::thread([&id] { id = native_thread_id(); }).join();
    EXPECT_FALSE(waits_for_lock_of_this_thread(id));
}

}  // namespace
