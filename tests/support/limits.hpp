#pragma once

#include <cstddef>
#include <functional>
#include <string>

namespace weft::test {

/// What became of a body that ran under a limit.
struct Confined {
    std::string refusal;      ///< why the system does not permit the limit; empty when it did
    bool has_passed = false;  ///< the body ran to its end and no expectation in it failed
};

/// Runs `body` in a forked child, as a user that has no other process: the super-user is exempt
/// from limits such as RLIMIT_NPROC, and another user's processes count towards them. Without
/// super-user's rights, runs it as the present user. Expectations of GoogleTest work in the body
/// and print as usual. The child has one thread; it ends with _exit.
///
///     const auto outcome = test::run_as_unused_uid([] { EXPECT_THROW(...); });
///     EXPECT_TRUE(outcome.has_passed);
Confined run_as_unused_uid(const std::function<void()>& body);

/// Runs `body` in a forked child that sees a /dev/shm of its own with only `bytes` of room. Refused
/// where the process may not have a mount namespace of its own; the test then skips with the
/// reason:
///
///     if (!outcome.refusal.empty()) GTEST_SKIP() << outcome.refusal;
Confined with_small_shm(std::size_t bytes, const std::function<void()>& body);

}  // namespace weft::test
