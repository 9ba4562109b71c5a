// The system calls of a program that links weft_test_faults: the linker sends them here (--wrap;
// the list in tests/CMakeLists.txt names the same functions) and calls the true ones __real_....

#include <dirent.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#include <cerrno>
#include <cstdarg>
#include <cstdint>

#include "support/fault_points.hpp"

using weft::test::faults::error_of;

// A call that reports its error in errno, and what it returns then.
#define WEFT_TEST_WRAP_ERRNO(result, name, parameters, arguments, failure) \
    extern "C" result __real_##name parameters;                            \
    extern "C" result __wrap_##name parameters;                            \
    result __wrap_##name parameters {                                      \
        const int error = error_of(#name);                                 \
        if (error == 0) return __real_##name arguments;                    \
        errno = error;                                                     \
        return failure;                                                    \
    }

// A call that returns its error.
#define WEFT_TEST_WRAP_RESULT(name, parameters, arguments)   \
    extern "C" int __real_##name parameters;                 \
    extern "C" int __wrap_##name parameters;                 \
    int __wrap_##name parameters {                           \
        const int error = error_of(#name);                   \
        return error != 0 ? error : __real_##name arguments; \
    }

WEFT_TEST_WRAP_ERRNO(ssize_t, read, (int fd, void* data, std::size_t size), (fd, data, size), -1)
WEFT_TEST_WRAP_ERRNO(ssize_t, write, (int fd, const void* data, std::size_t size), (fd, data, size),
                     -1)
WEFT_TEST_WRAP_ERRNO(DIR*, opendir, (const char* path), (path), nullptr)
WEFT_TEST_WRAP_ERRNO(int, pipe2, (int* ends, int flags), (ends, flags), -1)
WEFT_TEST_WRAP_ERRNO(int, eventfd, (unsigned value, int flags), (value, flags), -1)
WEFT_TEST_WRAP_ERRNO(pid_t, fork, (), (), -1)
WEFT_TEST_WRAP_ERRNO(int, poll, (pollfd * fds, nfds_t count, int limit), (fds, count, limit), -1)
WEFT_TEST_WRAP_ERRNO(int, sched_getaffinity, (pid_t process, std::size_t size, cpu_set_t* set),
                     (process, size, set), -1)
WEFT_TEST_WRAP_ERRNO(void*, mmap,
                     (void* place, std::size_t size, int protection, int flags, int fd, off_t at),
                     (place, size, protection, flags, fd, at), MAP_FAILED)

WEFT_TEST_WRAP_RESULT(pthread_create,
                      (pthread_t * thread, const pthread_attr_t* attributes, void* (*entry)(void*),
                       void* argument),
                      (thread, attributes, entry, argument))
WEFT_TEST_WRAP_RESULT(pthread_attr_init, (pthread_attr_t * attributes), (attributes))
WEFT_TEST_WRAP_RESULT(pthread_key_create, (pthread_key_t * key, void (*at_end)(void*)),
                      (key, at_end))
WEFT_TEST_WRAP_RESULT(pthread_atfork, (void (*before)(), void (*parent)(), void (*child)()),
                      (before, parent, child))

namespace {

/// Calls that Weft makes without the C library's function: a child's, before it executes a program.
const char* name_of_direct_call(long number) noexcept {
    switch (number) {
        case SYS_chdir: return "chdir";
        case SYS_close_range: return "close_range";
        case SYS_dup3: return "dup3";
        case SYS_execve: return "execve";
        case SYS_fcntl: return "fcntl";
        case SYS_setpgid: return "setpgid";
        case SYS_setsid: return "setsid";
        default: return nullptr;
    }
}

}  // namespace

extern "C" {

int __real_open(const char* path, int flags, ...);
int __wrap_open(const char* path, int flags, ...);
int __wrap_open(const char* path, int flags, ...) {
    va_list list;
    va_start(list, flags);
    const auto mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(list, mode_t) : mode_t{0};
    va_end(list);
    const int error = error_of("open");
    if (error == 0) return __real_open(path, flags, mode);
    errno = error;
    return -1;
}

long __real_syscall(long number, ...);
long __wrap_syscall(long number, ...);
long __wrap_syscall(long number, ...) {
    va_list list;
    va_start(list, number);
    long arguments[6];
    for (long& each : arguments) each = va_arg(list, long);
    va_end(list);
    int error = 0;
    if (const char* name = name_of_direct_call(number); name != nullptr) {
        error = error_of(name);
    } else if (number == SYS_futex) {
        const long operation = arguments[1] & FUTEX_CMD_MASK;
        const bool is_wait = operation == FUTEX_WAIT || operation == FUTEX_WAIT_BITSET;
        error = error_of(is_wait ? "futex_wait" : "futex_wake");
    }
    if (error == 0) {
        return __real_syscall(number, arguments[0], arguments[1], arguments[2], arguments[3],
                              arguments[4], arguments[5]);
    }
    errno = error;
    return -1;
}
}
