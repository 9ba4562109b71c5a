#include "support/limits.hpp"

#include <gtest/gtest.h>

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <exception>
#include <filesystem>
#include <iostream>
#include <set>
#include <system_error>

#include "support/budget.hpp"
#include "support/child.hpp"

namespace weft::test {

namespace {

constexpr int kPassed = 0;
constexpr int kFailed = 1;
constexpr int kRefused = 2;

/// Forks; the child sets the limit by `confine`, which returns an empty text or why it cannot, and
/// then runs the body.
Confined run_confined(const std::function<std::string()>& confine,
                      const std::function<void()>& body) {
    std::array<int, 2> reason{};
    if (pipe2(reason.data(), O_CLOEXEC) != 0) {
        throw std::system_error(errno, std::generic_category(), "pipe2");
    }
    std::cout.flush();
    std::fflush(stdout);
    const pid_t child = fork();
    if (child < 0) throw std::system_error(errno, std::generic_category(), "fork");
    if (child == 0) {
        int status = kFailed;
        try {
            const std::string refusal = confine();
            if (refusal.empty()) {
                body();
                status = testing::Test::HasFailure() ? kFailed : kPassed;
            } else {
                status = write(reason[1], refusal.data(), refusal.size()) > 0 ? kRefused : kFailed;
            }
        } catch (const std::exception& error) {
            std::cout << "the confined body threw: " << error.what() << '\n';
        }
        std::cout.flush();
        std::fflush(stdout);
        _exit(status);
    }
    close(reason[1]);
    Confined outcome;
    const auto status = wait_for_process(child, case_budget() / 2);
    std::array<char, 512> text{};
    const ssize_t length = read(reason[0], text.data(), text.size());
    close(reason[0]);
    if (length > 0) outcome.refusal.assign(text.data(), static_cast<std::size_t>(length));
    if (!status.has_value()) {
        std::cout << "the confined body did not end in time and was killed\n";
    } else if (WIFSIGNALED(*status)) {
        std::cout << "the confined body was killed by signal " << WTERMSIG(*status) << '\n';
    }
    outcome.has_passed =
        status.has_value() && WIFEXITED(*status) && WEXITSTATUS(*status) == kPassed;
    return outcome;
}

std::string failed(const char* call) {
    return std::string(call) + " is not permitted here: " + std::strerror(errno);
}

/// A number that no account and no process has.
uid_t unused_uid() {
    std::set<uid_t> used;
    for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
        struct stat attributes{};
        if (stat(entry.path().c_str(), &attributes) == 0) used.insert(attributes.st_uid);
    }
    // The search starts at a place of this process' own, so that test programs which run at once do
    // not meet.
    const auto start = static_cast<uid_t>(100'000 + getpid() % 50'000);
    for (uid_t candidate = start;; ++candidate) {
        if (!used.contains(candidate) && getpwuid(candidate) == nullptr) return candidate;
    }
}

bool write_file(const char* path, const std::string& text) {
    const int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0) return false;
    const bool is_written =
        write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size());
    close(fd);
    return is_written;
}

/// Without super-user's rights a mount namespace needs a user namespace around it, in which the
/// process keeps its own number.
std::string enter_mount_namespace() {
    if (unshare(CLONE_NEWNS) == 0) return {};
    const uid_t user = geteuid();
    const gid_t group = getegid();
    if (unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) return failed("a mount namespace (unshare)");
    const auto same = [](auto id) { return std::to_string(id) + ' ' + std::to_string(id) + " 1"; };
    if (!write_file("/proc/self/setgroups", "deny") ||
        !write_file("/proc/self/uid_map", same(user)) ||
        !write_file("/proc/self/gid_map", same(group))) {
        return failed("mapping users in a namespace");
    }
    return {};
}

}  // namespace

Confined run_as_unused_uid(const std::function<void()>& body) {
    const bool is_super_user = geteuid() == 0;
    const uid_t user = is_super_user ? unused_uid() : geteuid();
    return run_confined(
        [=]() -> std::string {
            if (!is_super_user) return {};
            if (setgroups(0, nullptr) != 0) return failed("setgroups");
            if (setresgid(user, user, user) != 0) return failed("setresgid");
            if (setresuid(user, user, user) != 0) return failed("setresuid");
            return {};
        },
        body);
}

Confined with_small_shm(std::size_t bytes, const std::function<void()>& body) {
    return run_confined(
        [=]() -> std::string {
            if (std::string refusal = enter_mount_namespace(); !refusal.empty()) return refusal;
            // Nothing mounted here is to be seen outside.
            if (mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) {
                return failed("making the mounts private");
            }
            const std::string size = "size=" + std::to_string(bytes);
            if (mount("tmpfs", "/dev/shm", "tmpfs", 0, size.c_str()) != 0) {
                return failed("mounting a tmpfs on /dev/shm");
            }
            return {};
        },
        body);
}

}  // namespace weft::test
