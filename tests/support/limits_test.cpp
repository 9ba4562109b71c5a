#include "support/limits.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <stdexcept>
#include <string>

namespace {

using weft::test::run_as_unused_uid;
using weft::test::with_small_shm;

TEST(RunAsUnusedUid, HasNoRightsAndMeetsProcessLimits) {
    const auto outcome = run_as_unused_uid([] {
        EXPECT_NE(geteuid(), 0U);
        const rlimit none{0, 0};
        ASSERT_EQ(setrlimit(RLIMIT_NPROC, &none), 0);
        const pid_t child = fork();
        if (child == 0) _exit(0);
        EXPECT_EQ(child, -1);
        EXPECT_EQ(errno, EAGAIN);
    });
    EXPECT_TRUE(outcome.refusal.empty()) << outcome.refusal;
    EXPECT_TRUE(outcome.has_passed);
}

TEST(RunAsUnusedUid, ReportsAFailureInTheBody) {
    testing::internal::CaptureStdout();
    const auto outcome = run_as_unused_uid([] { ADD_FAILURE() << "on purpose"; });
    EXPECT_THAT(testing::internal::GetCapturedStdout(), testing::HasSubstr("on purpose"));
    EXPECT_FALSE(outcome.has_passed);
}

TEST(RunAsUnusedUid, ReportsABodyThatDies) {
    EXPECT_FALSE(run_as_unused_uid([] { raise(SIGKILL); }).has_passed);
}

TEST(RunAsUnusedUid, ReportsABodyThatThrows) {
    EXPECT_FALSE(run_as_unused_uid([] { throw std::runtime_error("on purpose"); }).has_passed);
}

TEST(WithSmallShm, HasOnlySoMuchRoomAndIsPrivate) {
    constexpr std::size_t kRoom = 64 * 1024;
    const std::string name = "/weft-limits-test-" + std::to_string(getpid());
    const auto outcome = with_small_shm(kRoom, [&] {
        const int fd = shm_open(name.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600);
        ASSERT_GE(fd, 0);
        EXPECT_EQ(posix_fallocate(fd, 0, kRoom), 0);
        EXPECT_EQ(posix_fallocate(fd, 0, kRoom + 1), ENOSPC);
    });
    if (!outcome.refusal.empty()) GTEST_SKIP() << outcome.refusal;
    EXPECT_TRUE(outcome.has_passed);
    EXPECT_EQ(shm_unlink(name.c_str()), -1);
}

}  // namespace
