// How a child is started: docs/decisions/0008-child-start.md.
//
// The calling thread blocks all its signals, has the kernel make a child that borrows its memory
// (CLONE_VM) and stops it until the child has executed the new program or has ended (CLONE_VFORK),
// reads the report that the child has left in the job, and lets the signals in again.

#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <mutex>
#include <system_error>
#include <utility>

#include "os/linux/spawn_child.hpp"
#include "os/posix/cancellation.hpp"
#include "os/process.hpp"

namespace weft::os {

std::atomic<unsigned> missing_features{0};

namespace {

constexpr std::size_t kSignalSetSize = 8;
constexpr std::size_t kStackSize = std::size_t{32} * 1024;
constexpr std::uint64_t kClearHandlers = 0x100000000ULL;  // CLONE_CLEAR_SIGHAND, Linux 5.5

bool is_missing(unsigned features) noexcept {
    return (missing_features.load(std::memory_order_relaxed) & features) != 0;
}

void note_missing(unsigned features) noexcept {
    missing_features.fetch_or(features, std::memory_order_relaxed);
}

/// Blocks every signal of the calling thread for a scope, those included that the C library keeps
/// for itself.
class WithoutSignals {
public:
    WithoutSignals() noexcept {
        const std::uint64_t all = ~std::uint64_t{0};
        syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, &before_, kSignalSetSize);
    }
    ~WithoutSignals() {
        const int saved_errno = errno;
        syscall(SYS_rt_sigprocmask, SIG_SETMASK, &before_, nullptr, kSignalSetSize);
        errno = saved_errno;
    }
    WithoutSignals(const WithoutSignals&) = delete;
    WithoutSignals& operator=(const WithoutSignals&) = delete;
    [[nodiscard]] std::uint64_t before() const noexcept { return before_; }

private:
    std::uint64_t before_ = 0;
};

struct Cloned {
    ProcessId pid = -1;
    int pidfd = -1;
    int error = 0;
};

/// clone3() has no function in the C library: the child returns on another stack, and so must not
/// return at all. Returns the kernel's answer to the parent; the child calls `entry`.
long raw_clone3([[maybe_unused]] clone_args& arguments, [[maybe_unused]] int (*entry)(void*),
                [[maybe_unused]] void* subject) noexcept {
#if defined(__x86_64__) && !defined(__ILP32__)
    long result = SYS_clone3;
    asm volatile(
        "syscall\n\t"
        "testq %%rax, %%rax\n\t"
        "jnz 1f\n\t"
        // What holds the two may be the frame pointer, which the outermost frame has none of.
        "movq %[subject], %%rdi\n\t"
        "movq %[entry], %%rax\n\t"
        "xorl %%ebp, %%ebp\n\t"
        "callq *%%rax\n\t"
        "hlt\n"
        "1:"
        : "+a"(result)
        : "D"(&arguments), "S"(sizeof arguments), [entry] "r"(entry), [subject] "r"(subject)
        : "rcx", "r11", "memory", "cc");
    return result;
#elif defined(__aarch64__)
    register long number asm("x8") = SYS_clone3;
    register long first asm("x0") = reinterpret_cast<long>(&arguments);
    register long second asm("x1") = sizeof arguments;
    asm volatile(
        "svc #0\n\t"
        "cbnz x0, 1f\n\t"
        "mov x0, %[subject]\n\t"
        "mov x1, %[entry]\n\t"
        "mov x29, #0\n\t"
        "blr x1\n\t"
        "brk #1\n"
        "1:"
        : "+r"(first)
        : "r"(number), "r"(second), [entry] "r"(entry), [subject] "r"(subject)
        : "memory", "cc");
    return first;
#else
    return -ENOSYS;
#endif
}

Cloned clone_with_clone3(SpawnJob& job, char* stack) noexcept {
    Cloned result;
    clone_args arguments{};
    arguments.flags = CLONE_VM | CLONE_VFORK | CLONE_PIDFD | kClearHandlers;
    arguments.pidfd = reinterpret_cast<std::uint64_t>(&result.pidfd);
    arguments.exit_signal = SIGCHLD;
    arguments.stack = reinterpret_cast<std::uint64_t>(stack);
    arguments.stack_size = kStackSize;
    job.has_default_handlers = true;
    const long answer = raw_clone3(arguments, &run_child, &job);
    if (answer < 0) {
        result.error = static_cast<int>(-answer);
        // The kernel may have written the number of a descriptor that it then took back.
        result.pidfd = -1;
    } else {
        result.pid = static_cast<ProcessId>(answer);
    }
    return result;
}

Cloned clone_with_clone(SpawnJob& job, char* stack, bool wants_pidfd) noexcept {
    Cloned result;
    job.has_default_handlers = false;
    const int flags = CLONE_VM | CLONE_VFORK | SIGCHLD | (wants_pidfd ? CLONE_PIDFD : 0);
    const int answer = clone(&run_child, stack + kStackSize, flags, &job, &result.pidfd);
    if (answer < 0) {
        result.error = errno;
        result.pidfd = -1;
    } else {
        result.pid = answer;
    }
    return result;
}

int begin_and_end(void* job) {
    static_cast<SpawnJob*>(job)->has_begun = true;
    return 0;
}

/// An emulator may take vfork() for fork(): the child's report would then never arrive. Looked at
/// once, where the kernel has no clone3() (no emulator has).
bool is_memory_shared(char* stack) noexcept {
    if (is_missing(kNoSharedMemory)) return false;
    if (is_missing(kSharingTried)) return true;
    SpawnJob job;
    const int pid =
        clone(&begin_and_end, stack + kStackSize, CLONE_VM | CLONE_VFORK | SIGCHLD, &job);
    if (pid < 0) return true;
    while (waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
    }
    // Written behind the compiler's back.
    if (!static_cast<volatile SpawnJob&>(job).has_begun) note_missing(kNoSharedMemory);
    note_missing(kSharingTried);
    return !is_missing(kNoSharedMemory);
}

Cloned clone_somehow(SpawnJob& job, char* stack) noexcept {
    if (!is_missing(kNoClone3)) {
        const Cloned result = clone_with_clone3(job, stack);
        // EPERM is what sandboxes say that do not know the call.
        const bool is_unknown =
            result.error == ENOSYS || result.error == EINVAL || result.error == EPERM;
        if (!is_unknown) return result;
        note_missing(kNoClone3);
    }
    if (!is_memory_shared(stack)) return {.pid = -1, .pidfd = -1, .error = ENOTSUP};
    const bool wants_pidfd = !is_missing(kNoPidfd);
    const Cloned result = clone_with_clone(job, stack, wants_pidfd);
    if (result.error != EINVAL || !wants_pidfd) return result;
    note_missing(kNoPidfd);
    return clone_with_clone(job, stack, false);
}

/// By the pidfd where there is one: the number may be another child's if somebody else has reaped
/// this one.
void reap(ProcessId pid, int pidfd) noexcept {
    constexpr auto kByPidfd = static_cast<idtype_t>(3);  // P_PIDFD, Linux 5.4
    siginfo_t info{};
    int result = -1;
    errno = EINVAL;
    if (pidfd >= 0) {
        do {
            result = waitid(kByPidfd, static_cast<id_t>(pidfd), &info, WEXITED);
        } while (result != 0 && errno == EINTR);
    }
    if (result == 0 || errno != EINVAL) return;
    while (waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
    }
}

Spawned result_of(const SpawnJob& job, const Cloned& child) {
    Spawned spawned;
    spawned.pidfd = above_standard(Descriptor(child.pidfd));
    if (child.error != 0) {
        spawned.failed_step = SpawnStep::clone;
        spawned.error = child.error;
    } else if (job.report.step != SpawnStep::none) {
        reap(child.pid, spawned.pidfd.fd());
        spawned.failed_step = job.report.step;
        spawned.error = job.report.error;
        spawned.program = job.report.program;
        spawned.reason.assign(job.report.reason,
                              strnlen(job.report.reason, sizeof job.report.reason));
    } else {
        spawned.pid = child.pid;
    }
    return spawned;
}

/// Reads the report until the pipe's other end is closed, which executing the program does.
void read_report(int fd, SpawnReport& report) {
    char* at = reinterpret_cast<char*>(&report);
    std::size_t left = sizeof report;
    while (left > 0) {
        const std::size_t size = read_some(fd, {at, left});
        if (size == 0) return;
        at += size;
        left -= size;
    }
}

/// Held while the writing end of a report pipe is open here. A child that another thread forked
/// meanwhile would hold that end until it executes its program, and the start would wait for it.
/// What forks without Weft can still do that.
///
/// The word is 0 or the process of the thread that holds it: in a child of fork() that thread does
/// not exist, and the lock is free.
class ForkLock {
public:
    void lock() noexcept {
        const int mine = getpid();
        for (;;) {
            int seen = 0;
            // Acquire pairs with the release of unlock().
            if (holder_.compare_exchange_strong(seen, mine, std::memory_order_acquire)) return;
            if (seen == mine) {
                holder_.wait(seen, std::memory_order_relaxed);
            } else if (holder_.compare_exchange_strong(seen, mine, std::memory_order_acquire)) {
                return;
            }
        }
    }
    void unlock() noexcept {
        holder_.store(0, std::memory_order_release);
        holder_.notify_one();
    }

private:
    std::atomic<int> holder_{0};
};
constinit ForkLock forking;

/// Forks with all signals blocked. The child waits for a byte before it does anything, so that it
/// lives, and its number is its own, when the pidfd is made.
Cloned fork_child(const SpawnPlan& plan, SpawnJob& job, Pipe& reports) {
    Pipe go = create_pipe();
    job.report_fd = reports.output.fd();
    job.go_fd = go.input.fd();
    job.go_writer_fd = go.output.fd();
    job.has_default_handlers = false;
    Cloned child;
    {
        const WithoutSignals blocked;
        job.signal_mask = plan.signal_mask.value_or(blocked.before());
        child.pid = fork();
        if (child.pid == 0) run_child(&job);
        if (child.pid < 0) child.error = errno;
    }
    if (child.pid > 0 && !is_missing(kNoPidfd)) {
        child.pidfd = static_cast<int>(syscall(SYS_pidfd_open, child.pid, 0));
    }
    // A child that is gone already reports nothing, and is found ended.
    if (child.pid > 0) (void)write_some(go.output.fd(), "g");
    return child;
}

Spawned spawn_by_fork(const SpawnPlan& plan, SpawnJob& job) {
    Pipe reports;
    Cloned child;
    {
        const std::lock_guard held(forking);
        reports = create_pipe();
        child = fork_child(plan, job, reports);
        reports.output.close();
    }
    if (child.pid > 0) {
        try {
            read_report(reports.input.fd(), job.report);
        } catch (...) {
            const Descriptor pidfd(child.pidfd);
            reap(child.pid, pidfd.fd());
            throw;
        }
    }
    return result_of(job, child);
}

}  // namespace

const char* name_of(SpawnStep step) noexcept {
    switch (step) {
        case SpawnStep::none:
            return "";
        case SpawnStep::clone:
            return "clone";
        case SpawnStep::terminal:
            return "ioctl(TIOCSCTTY)";
        case SpawnStep::redirect:
            return "dup2";
        case SpawnStep::pass:
            return "fcntl(FD_CLOEXEC)";
        case SpawnStep::folder:
            return "chdir";
        case SpawnStep::session:
            return "setsid";
        case SpawnStep::group_of_processes:
            return "setpgid";
        case SpawnStep::extra_groups:
            return "setgroups";
        case SpawnStep::group:
            return "setregid";
        case SpawnStep::user:
            return "setreuid";
        case SpawnStep::before_exec:
            return "preexec_fn";
        case SpawnStep::close:
            return "close_range";
        case SpawnStep::exec:
            return "execve";
    }
    return "";
}

std::uint64_t signal_mask() noexcept {
    std::uint64_t mask = 0;
    syscall(SYS_rt_sigprocmask, SIG_BLOCK, nullptr, &mask, kSignalSetSize);
    return mask;
}

void block_signals() noexcept {
    const std::uint64_t all = ~std::uint64_t{0};
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, nullptr, kSignalSetSize);
}

Spawned spawn(const SpawnPlan& plan) {
    const WithoutCancellation whole;
    const int saved_errno = errno;
    SpawnJob job;
    job.plan = &plan;
    job.parent = getpid();
    const bool may_share = plan.may_share_memory && plan.before_exec == nullptr;
    if (may_share && !is_missing(kNoSharedMemory)) {
        // On the heap: a thread's own stack may be as small as this one.
        const auto stack = std::make_unique_for_overwrite<char[]>(kStackSize);
        Cloned child;
        {
            const WithoutSignals blocked;
            job.signal_mask = plan.signal_mask.value_or(blocked.before());
            child = clone_somehow(job, stack.get());
        }
        errno = saved_errno;
        if (child.error != ENOTSUP) return result_of(job, child);
    }
    Spawned spawned = spawn_by_fork(plan, job);
    errno = saved_errno;
    return spawned;
}

}  // namespace weft::os
