// A test program that misbehaves: harness_test.cpp runs its cases and looks at what the harness
// says.

#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <semaphore>
#include <string>
#include <thread>

#include "support/leaks.hpp"

namespace {

using weft::test::allow_leftover;
using weft::test::Leftover;

/// Never released; a process that ends does not ask for its threads' leave.
std::counting_semaphore<> never(0);
std::counting_semaphore<> never_either(0);  // equal functions would be folded into one

[[gnu::noinline]] void first_function_that_hangs() {
    never.acquire();
    std::abort();
}

[[gnu::noinline]] void second_function_that_hangs() {
    never_either.acquire();
    std::abort();
}

TEST(Subject, HangsInTwoThreads) {
    std::thread other(first_function_that_hangs);
    second_function_that_hangs();
    other.join();
}

TEST(Subject, HangsAtTheEndOfTheProgram) {
    std::atexit([] { second_function_that_hangs(); });
}

TEST(Subject, LeavesAThread) {
    std::thread([] { never.acquire(); }).detach();
}

TEST(Subject, LeavesAThreadThatIsAllowed) {
    allow_leftover(Leftover::thread, "it waits for the end of the program");
    std::thread([] { never.acquire(); }).detach();
}

TEST(Subject, LeavesARunningProcess) {
    if (fork() == 0) {
        for (;;) pause();
    }
}

TEST(Subject, LeavesAProcessThatHasEnded) {
    const pid_t child = fork();
    if (child == 0) _exit(0);
    siginfo_t info{};
    EXPECT_EQ(waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT), 0);
}

TEST(Subject, LeavesADescriptor) {
    EXPECT_GE(open("/dev/null", O_RDONLY | O_CLOEXEC), 0);
}

TEST(Subject, ClosesADescriptorOfOthers) {
    EXPECT_EQ(close(0), 0);
}

TEST(Subject, ReplacesADescriptorOfOthers) {
    EXPECT_EQ(close(0), 0);
    EXPECT_EQ(open("/dev/zero", O_RDONLY | O_CLOEXEC), 0);
}

std::string segment_name() {
    return "/weft-harness-subject-" + std::to_string(getpid());
}

TEST(Subject, LeavesASegment) {
    const int fd = shm_open(segment_name().c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600);
    ASSERT_EQ(ftruncate(fd, 4096), 0);
    // Stays mapped, so that other test programs that run now see whose it is.
    EXPECT_NE(mmap(nullptr, 4096, PROT_READ, MAP_SHARED, fd, 0), MAP_FAILED);
    close(fd);
}

TEST(Subject, LeavesAFile) {
    const char* const folder = std::getenv("TMPDIR");
    ASSERT_NE(folder, nullptr);
    std::ofstream(std::string(folder) + "/left-behind") << "text";
}

TEST(Subject, TidiesUp) {
    std::thread([] {}).join();
    const int fd = shm_open(segment_name().c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600);
    close(fd);
    EXPECT_EQ(shm_unlink(segment_name().c_str()), 0);
    const std::string path = std::string(std::getenv("TMPDIR")) + "/file";
    std::ofstream(path) << "text";
    EXPECT_EQ(unlink(path.c_str()), 0);
}

TEST(Subject, ShowsItsTemporaryDirectory) {
    std::ofstream(std::getenv("WEFT_SUBJECT_NOTE")) << std::getenv("TMPDIR");
}

}  // namespace
