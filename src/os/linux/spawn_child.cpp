#include "os/linux/spawn_child.hpp"

#include <fcntl.h>
#include <linux/prctl.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

// The sanitizers keep books of memory, stacks and descriptors that a child in borrowed memory would
// put in disorder for its parent.
#define WEFT_IN_CHILD __attribute__((no_sanitize("address", "thread", "undefined")))

extern char** environ;

namespace weft::os {

namespace {

constexpr int kHighestSignal = 64;
constexpr std::size_t kSignalSetSize = 8;
constexpr int kFirstAboveStandard = 3;

/// The kernel's own form, which is not the C library's.
struct KernelAction {
    std::uintptr_t handler = 0;
    unsigned long flags = 0;
    std::uintptr_t restorer = 0;
    std::uint64_t mask = 0;
};

struct DirectoryEntry {
    std::uint64_t inode;
    std::int64_t offset;
    unsigned short length;
    unsigned char type;
    char name[1];
};

// errno is the parent's thread's, which saves it.
template <class... Arguments>
WEFT_IN_CHILD long call(long number, Arguments... arguments) {
    return syscall(number, arguments...);
}

WEFT_IN_CHILD void end_child() {
    for (;;) call(SYS_exit_group, 127L);
}

WEFT_IN_CHILD void fail(SpawnJob& job, SpawnStep step, int error, std::size_t program = 0) {
    job.report.step = step;
    job.report.error = error;
    job.report.program = static_cast<std::uint32_t>(program);
    if (job.report_fd >= 0) {
        // Less than a pipe takes whole.
        while (call(SYS_write, long{job.report_fd}, &job.report, sizeof job.report) < 0 &&
               errno == EINTR) {
        }
    }
    end_child();
}

WEFT_IN_CHILD void set_default(int signal) {
    KernelAction action;
    call(SYS_rt_sigaction, long{signal}, &action, nullptr, kSignalSetSize);
}

/// An ignored signal stays ignored, as in every new program.
WEFT_IN_CHILD void reset_handlers() {
    for (int signal = 1; signal <= kHighestSignal; ++signal) {
        KernelAction action;
        if (call(SYS_rt_sigaction, long{signal}, nullptr, &action, kSignalSetSize) != 0) continue;
        if (action.handler > 1) set_default(signal);
    }
}

WEFT_IN_CHILD void redirect(SpawnJob& job) {
    int sources[3];
    for (int target = 0; target < 3; ++target) {
        sources[target] = job.plan->standard[static_cast<std::size_t>(target)];
        // A source among the targets goes out of their way: it may be another's target.
        if (sources[target] < 0 || sources[target] >= kFirstAboveStandard) continue;
        const long moved = call(SYS_fcntl, long{sources[target]}, long{F_DUPFD_CLOEXEC},
                                long{kFirstAboveStandard});
        if (moved < 0) fail(job, SpawnStep::redirect, errno);
        sources[target] = static_cast<int>(moved);
    }
    for (int target = 0; target < 3; ++target) {
        if (sources[target] < 0) continue;
        while (call(SYS_dup3, long{sources[target]}, long{target}, 0L) < 0) {
            if (errno != EINTR && errno != EBUSY) fail(job, SpawnStep::redirect, errno);
        }
    }
}

WEFT_IN_CHILD bool is_kept(const SpawnJob& job, int fd) {
    if (fd == job.report_fd) return true;
    for (std::size_t i = 0; i < job.plan->kept.size(); ++i) {
        if (job.plan->kept.data()[i] == fd) return true;
    }
    return false;
}

WEFT_IN_CHILD int number_of(const char* name) {
    int number = 0;
    for (; *name != '\0'; ++name) {
        if (*name < '0' || *name > '9') return -1;
        number = number * 10 + (*name - '0');
    }
    return number;
}

/// For kernels without close_range(): what /proc lists. Entries that are closed between two looks
/// do not disturb those that follow, because they are listed by number.
WEFT_IN_CHILD bool close_listed(const SpawnJob& job) {
    const long folder =
        call(SYS_openat, long{AT_FDCWD}, "/proc/self/fd", long{O_RDONLY | O_DIRECTORY | O_CLOEXEC});
    if (folder < 0) return false;
    alignas(DirectoryEntry) char buffer[2048];
    for (;;) {
        const long size = call(SYS_getdents64, folder, buffer, sizeof buffer);
        if (size <= 0) break;
        for (long at = 0; at < size;) {
            const auto* entry = reinterpret_cast<const DirectoryEntry*>(buffer + at);
            const int fd = number_of(entry->name);
            if (fd >= kFirstAboveStandard && fd != folder && !is_kept(job, fd)) {
                call(SYS_close, long{fd});
            }
            at += entry->length;
        }
    }
    call(SYS_close, folder);
    return true;
}

WEFT_IN_CHILD void close_counted(const SpawnJob& job) {
    // Neither close_range() nor /proc: what is open above this cannot be known.
    const int limit = 65536;
    for (int fd = kFirstAboveStandard; fd < limit; ++fd) {
        if (!is_kept(job, fd)) call(SYS_close, long{fd});
    }
}

/// Closes the gap between two descriptors that stay, both bounds included.
WEFT_IN_CHILD bool close_gap(unsigned from, unsigned to) {
    return from > to || call(SYS_close_range, long{from}, static_cast<unsigned long>(to), 0L) == 0;
}

WEFT_IN_CHILD void close_others(SpawnJob& job) {
    const unsigned missing = missing_features.load(std::memory_order_relaxed);
    bool is_done = (missing & kNoCloseRange) == 0;
    unsigned from = kFirstAboveStandard;
    // The report's descriptor closes by itself when the program is executed; it stands somewhere
    // between those that are kept.
    const auto report = static_cast<unsigned>(job.report_fd);
    bool is_report_passed = job.report_fd < 0;
    for (std::size_t i = 0; is_done && i <= job.plan->kept.size(); ++i) {
        const bool is_last = i == job.plan->kept.size();
        const unsigned next = is_last ? ~0U : static_cast<unsigned>(job.plan->kept.data()[i]);
        if (!is_report_passed && report < next) {
            is_done = close_gap(from, report - 1);
            from = report + 1;
            is_report_passed = true;
        }
        if (is_last) {
            is_done = is_done && close_gap(from, ~0U);
        } else if (next >= from) {
            is_done = is_done && close_gap(from, next - 1);
            from = next + 1;
        }
    }
    if (!is_done && !close_listed(job)) close_counted(job);
}

WEFT_IN_CHILD void pass_descriptors(SpawnJob& job) {
    for (std::size_t i = 0; i < job.plan->kept.size(); ++i) {
        const int fd = job.plan->kept.data()[i];
        const long flags = call(SYS_fcntl, long{fd}, long{F_GETFD});
        if (flags < 0 || call(SYS_fcntl, long{fd}, long{F_SETFD}, flags & ~long{FD_CLOEXEC}) < 0) {
            fail(job, SpawnStep::pass, errno);
        }
    }
}

WEFT_IN_CHILD void watch_parent(SpawnJob& job) {
    if (job.plan->death_signal == 0) return;
    call(SYS_prctl, long{PR_SET_PDEATHSIG}, long{job.plan->death_signal});
    // It may have ended before the kernel was told.
    if (call(SYS_getppid) != job.parent) end_child();
}

WEFT_IN_CHILD void change_user(SpawnJob& job) {
    const SpawnPlan& plan = *job.plan;
    if (plan.extra_groups.has_value() &&
        call(SYS_setgroups, plan.extra_groups->size(), plan.extra_groups->data()) != 0) {
        fail(job, SpawnStep::extra_groups, errno);
    }
    if (plan.group.has_value() && call(SYS_setregid, long{*plan.group}, long{*plan.group}) != 0) {
        fail(job, SpawnStep::group, errno);
    }
    if (plan.user.has_value() && call(SYS_setreuid, long{*plan.user}, long{*plan.user}) != 0) {
        fail(job, SpawnStep::user, errno);
    }
}

/// As the C library's execvp: what is not there is passed over, and of the other errors the first
/// counts.
WEFT_IN_CHILD void execute(SpawnJob& job) {
    const SpawnPlan& plan = *job.plan;
    int first_error = 0;
    std::size_t first_program = 0;
    int last_error = ENOENT;
    // Looked at here: before_exec may have changed it.
    char* const* const variables = plan.environment != nullptr ? plan.environment : environ;
    for (std::size_t i = 0; i < plan.programs.size(); ++i) {
        call(SYS_execve, plan.programs.data()[i], plan.arguments, variables);
        last_error = errno;
        if (last_error != ENOENT && last_error != ENOTDIR && first_error == 0) {
            first_error = last_error;
            first_program = i;
        }
    }
    if (first_error != 0) fail(job, SpawnStep::exec, first_error, first_program);
    fail(job, SpawnStep::exec, last_error, plan.programs.size() - 1);
}

/// An end without a byte means that the parent is gone, which is no reason to wait.
WEFT_IN_CHILD void wait_for_go(const SpawnJob& job) {
    if (job.go_fd < 0) return;
    call(SYS_close, long{job.go_writer_fd});
    char byte = 0;
    while (call(SYS_read, long{job.go_fd}, &byte, 1L) < 0 && errno == EINTR) {
    }
}

}  // namespace

WEFT_IN_CHILD int run_child(void* subject) {
    SpawnJob& job = *static_cast<SpawnJob*>(subject);
    const SpawnPlan& plan = *job.plan;
    job.has_begun = true;
    wait_for_go(job);
    // All signals are blocked. No handler of the parent's may ever run here.
    if (!job.has_default_handlers) reset_handlers();
    if (plan.restores_signals) {
        set_default(SIGPIPE);
        set_default(SIGXFSZ);
    }
    watch_parent(job);
    redirect(job);
    pass_descriptors(job);
    if (plan.folder != nullptr && call(SYS_chdir, plan.folder) != 0) {
        fail(job, SpawnStep::folder, errno);
    }
    if (plan.umask >= 0) call(SYS_umask, long{plan.umask});
    if (plan.starts_session && call(SYS_setsid) < 0) fail(job, SpawnStep::session, errno);
    if (plan.terminal >= 0 &&
        call(SYS_ioctl, long{plan.terminal}, static_cast<unsigned long>(TIOCSCTTY), 0L) < 0) {
        fail(job, SpawnStep::terminal, errno);
    }
    if (plan.process_group.has_value() && call(SYS_setpgid, 0L, long{*plan.process_group}) != 0) {
        fail(job, SpawnStep::group_of_processes, errno);
    }
    change_user(job);
    // A change of user has made the kernel forget it.
    if (plan.user.has_value() || plan.group.has_value()) watch_parent(job);
    call(SYS_rt_sigprocmask, long{SIG_SETMASK}, &job.signal_mask, nullptr, kSignalSetSize);
    if (plan.before_exec != nullptr &&
        !plan.before_exec(plan.subject, job.report.reason, sizeof job.report.reason)) {
        fail(job, SpawnStep::before_exec, 0);
    }
    if (plan.closes_others) close_others(job);
    execute(job);
    return 0;
}

}  // namespace weft::os
