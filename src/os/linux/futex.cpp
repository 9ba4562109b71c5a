#include "os/futex.hpp"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace weft::os {

namespace {

int operation(int command, FutexScope scope) {
    return scope == FutexScope::one_process ? command | FUTEX_PRIVATE_FLAG : command;
}

// On 32-bit systems the call's time has another layout than the library's.
static_assert(sizeof(long) == 8, "Weft runs on 64-bit systems");

std::uint32_t* address_of(detail::FutexWord& word) {
    static_assert(sizeof(word) >= sizeof(std::uint32_t));
    return reinterpret_cast<std::uint32_t*>(&word);
}

}  // namespace

#ifndef WEFT_MODEL

void futex_wait(detail::FutexWord& word, std::uint32_t expected, std::int64_t deadline,
                FutexScope scope) noexcept {
    const int saved_errno = errno;
    timespec until{};
    timespec* limit = nullptr;
    if (deadline != kNoDeadline) {
        deadline = std::max<std::int64_t>(deadline, 0);
        until.tv_sec = deadline / 1'000'000'000;
        until.tv_nsec = deadline % 1'000'000'000;
        limit = &until;
    }
    // The bitset form takes an absolute time on the monotonic clock, so that a wait resumed after a
    // signal keeps its deadline.
    syscall(SYS_futex, address_of(word), operation(FUTEX_WAIT_BITSET, scope), expected, limit,
            nullptr, FUTEX_BITSET_MATCH_ANY);
    errno = saved_errno;
}

void futex_wake(detail::FutexWord& word, int most, FutexScope scope) noexcept {
    const int saved_errno = errno;
    syscall(SYS_futex, address_of(word), operation(FUTEX_WAKE, scope), most, nullptr, nullptr, 0);
    errno = saved_errno;
}

#endif

}  // namespace weft::os
