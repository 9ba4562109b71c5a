#include "os/cpu.hpp"

#include <sched.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>

namespace weft::os {

namespace {

std::atomic<int> known_usable_cpus{0};

int count_usable_cpus() {
    const int saved_errno = errno;
    cpu_set_t set;
    CPU_ZERO(&set);
    // Of the main thread, not of whichever asks first and may be pinned. Fails on machines with
    // more CPUs than the fixed set holds: such a machine has many.
    const bool is_known = sched_getaffinity(getpid(), sizeof set, &set) == 0;
    errno = saved_errno;
    if (!is_known) return CPU_SETSIZE;
    const int count = CPU_COUNT(&set);
    return count > 0 ? count : 1;
}

}  // namespace

int current_cpu() noexcept {
    return sched_getcpu();
}

int usable_cpus() noexcept {
    int count = known_usable_cpus.load(std::memory_order_relaxed);
    if (count == 0) {
        count = count_usable_cpus();
        known_usable_cpus.store(count, std::memory_order_relaxed);
    }
    return count;
}

void forget_usable_cpus() noexcept {
    known_usable_cpus.store(0, std::memory_order_relaxed);
}

void pause() noexcept {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ __volatile__("isb" ::: "memory");
#endif
}

void yield() noexcept {
    sched_yield();
}

std::int64_t monotonic_now() noexcept {
    timespec time{};
    clock_gettime(CLOCK_MONOTONIC, &time);
    return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

}  // namespace weft::os
