#include <signal.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "os/posix/poll.hpp"
#include "os/process.hpp"

extern char** environ;

namespace weft::os {

namespace {

constexpr int kByPidfd = 3;                    // P_PIDFD, Linux 5.4
constexpr unsigned kSignalGroup = 1U << 2U;    // PIDFD_SIGNAL_PROCESS_GROUP, Linux 6.9
constexpr std::uint64_t kInfoExit = 1U << 3U;  // PIDFD_INFO_EXIT, Linux 6.15

/// The kernel's pidfd_info in its first form.
struct PidfdInfo {
    std::uint64_t mask;
    std::uint64_t cgroup;
    std::uint32_t ids[11];
    std::int32_t exit_code;
};
static_assert(sizeof(PidfdInfo) == 64);

int code_of_status(int status) noexcept {
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

std::int64_t nanoseconds(const timeval& time) noexcept {
    return std::int64_t{time.tv_sec} * 1'000'000'000 + std::int64_t{time.tv_usec} * 1'000;
}

Usage usage_of(const rusage& usage) noexcept {
    return {.user_ns = nanoseconds(usage.ru_utime),
            .system_ns = nanoseconds(usage.ru_stime),
            .max_resident_bytes = std::int64_t{usage.ru_maxrss} * 1024,
            .minor_faults = usage.ru_minflt,
            .major_faults = usage.ru_majflt,
            .voluntary_switches = usage.ru_nvcsw,
            .involuntary_switches = usage.ru_nivcsw};
}

/// Whether a pidfd tells that its process has ended; false when that cannot be looked at.
bool is_ended(int pidfd) noexcept {
    Watched watched{.fd = pidfd};
    try {
        constexpr std::int64_t kLongAgo = 0;
        (void)poll_until({&watched, 1}, -1, kLongAgo);
    } catch (...) {
        return false;
    }
    return watched.is_ready;
}

/// What waitid() says about a child that it is not to reap, and about whom; 0 or errno.
int look_without_reaping(ProcessId pid, int pidfd, siginfo_t& info) noexcept {
    constexpr int kHow = WEXITED | WNOHANG | WNOWAIT;
    info = {};
    if (pidfd >= 0) {
        const auto kind = static_cast<idtype_t>(kByPidfd);
        if (waitid(kind, static_cast<id_t>(pidfd), &info, kHow) == 0) return 0;
        // A kernel that has pidfds and cannot wait for them: 5.3.
        if (errno != EINVAL) return errno;
    }
    return waitid(P_PID, static_cast<id_t>(pid), &info, kHow) == 0 ? 0 : errno;
}

/// Whether somebody else has reaped the child, or may have: its number could be another's then.
bool may_be_reaped(ProcessId pid, int pidfd) noexcept {
    siginfo_t info{};
    if (look_without_reaping(pid, pidfd, info) != ECHILD) return false;
    // In a fork of the parent it is no child either, and runs on.
    return pidfd < 0 || is_ended(pidfd);
}

/// A child that cannot be waited for: somebody else has done so (a SIGCHLD that is ignored makes
/// the kernel do it), or this process is a fork of the child's parent.
ChildLook look_at_lost(ProcessId pid, int pidfd) noexcept {
    ChildLook look;
    if (pidfd < 0) {
        // The number may be another's by now; then a stranger is taken for the child until it ends.
        if (kill(pid, 0) == 0 || errno == EPERM) return look;
        look.state = ChildLook::State::lost;
        return look;
    }
    if (!is_ended(pidfd)) return look;
    look.state = ChildLook::State::lost;
    PidfdInfo info{};
    info.mask = kInfoExit;
    constexpr unsigned long kGetInfo = _IOWR(0xFF, 11, PidfdInfo);
    if (ioctl(pidfd, kGetInfo, &info) == 0 && (info.mask & kInfoExit) != 0) {
        look.code = code_of_status(info.exit_code);
        look.has_code = true;
    }
    return look;
}

}  // namespace

ChildLook look_at_child(ProcessId pid, int pidfd) noexcept {
    const int saved_errno = errno;
    ChildLook look;
    siginfo_t info{};
    rusage usage{};
    // Not the C library's waitid(), which does not give the usage.
    const long result =
        pidfd >= 0
            ? syscall(SYS_waitid, kByPidfd, pidfd, &info, WEXITED | WNOHANG, &usage)
            : syscall(SYS_waitid, static_cast<int>(P_PID), pid, &info, WEXITED | WNOHANG, &usage);
    if (result != 0 && errno == EINVAL && pidfd >= 0) {
        // A kernel that has pidfds and cannot wait for them: 5.3.
        look = look_at_child(pid, -1);
    } else if (result != 0) {
        look = look_at_lost(pid, pidfd);
    } else if (info.si_pid != 0) {
        look.state = ChildLook::State::ended;
        look.code = info.si_code == CLD_EXITED ? info.si_status : -info.si_status;
        look.has_code = true;
        look.usage = usage_of(usage);
    }
    errno = saved_errno;
    return look;
}

bool is_unreaped(ProcessId pid, int pidfd) noexcept {
    const int saved_errno = errno;
    siginfo_t info{};
    const int error = look_without_reaping(pid, pidfd, info);
    errno = saved_errno;
    return error == 0 && info.si_pid != 0;
}

void wait_for_child(int pidfd) {
    const int saved_errno = errno;
    siginfo_t info{};
    (void)waitid(static_cast<idtype_t>(kByPidfd), static_cast<id_t>(pidfd), &info,
                 WEXITED | WNOWAIT);
    errno = saved_errno;
}

int send_signal(ProcessId pid, int pidfd, int signal) noexcept {
    const int saved_errno = errno;
    long result = -1;
    errno = ENOSYS;
    if (pidfd >= 0) result = syscall(SYS_pidfd_send_signal, pidfd, signal, nullptr, 0);
    if (result != 0 && errno == ENOSYS) result = kill(pid, signal);
    const int error = result == 0 ? 0 : errno;
    errno = saved_errno;
    return error;
}

int signal_group(ProcessId pid, int pidfd, int signal, bool is_reaped) noexcept {
    const int saved_errno = errno;
    int error = ENOTSUP;
    if (pidfd >= 0 && (missing_features.load(std::memory_order_relaxed) & kNoGroupSignal) == 0) {
        const long result = syscall(SYS_pidfd_send_signal, pidfd, signal, nullptr, kSignalGroup);
        error = result == 0 ? 0 : errno;
        if (error == EINVAL || error == ENOSYS) error = ENOTSUP;
    }
    // Until it is reaped, the child's number, which is its group's, is nobody else's. Somebody else
    // could still reap it between the look and the signal.
    if (error == ENOTSUP && !is_reaped && !may_be_reaped(pid, pidfd)) {
        error = kill(-pid, signal) == 0 ? 0 : errno;
    }
    errno = saved_errno;
    return error;
}

ProcessId this_process() noexcept {
    return getpid();
}

char** environment() noexcept {
    return environ;
}

}  // namespace weft::os
