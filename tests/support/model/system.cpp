// The system that a model build runs on: src/os/futex.hpp and src/os/cpu.hpp, and the two calls
// through which the standard library's own waits (in std::stop_callback's destructor) reach it.

#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>

#include <cerrno>
#include <cstdarg>
#include <cstdint>

#include <weft/detail/thread_number.hpp>

#include "detail/timed_sleep.hpp"
#include "model/scheduler.hpp"
#include "model/warm_up.hpp"
#include "os/cpu.hpp"
#include "os/futex.hpp"

namespace weft::model {

namespace {
// Before main: the leak checker calls sched_yield() at the end of a program, with the allocator locked,
// and the scheduler must not be built then.
[[maybe_unused]] Scheduler& built_early = Scheduler::instance();
}  // namespace

void warm_up() {
    (void)detail::this_thread_number();
    detail::FutexWord word{0};
    const detail::TimedSleep sleep(word, detail::Deadline::at(INT64_MAX - 1));
}

}  // namespace weft::model

namespace weft::os {

using model::Scheduler;

void futex_wait(detail::FutexWord& word, std::uint32_t expected, std::int64_t deadline,
                FutexScope) noexcept {
    // The point lies before the kernel's comparison, which is one step with falling asleep.
    const auto* const value = reinterpret_cast<const std::uint32_t*>(&word);
    Scheduler::instance().futex_wait(&word, [=] { return *value == expected; }, deadline);
}

void futex_wake(detail::FutexWord& word, int most, FutexScope) noexcept {
    Scheduler::instance().futex_wake(&word, most);
}

int current_cpu() noexcept {
    return 0;
}
int usable_cpus() noexcept {
    return Scheduler::instance().cpus();
}
void forget_usable_cpus() noexcept {}
void pause() noexcept {
    Scheduler::instance().yield();
}
void yield() noexcept {
    Scheduler::instance().yield();
}
std::int64_t monotonic_now() noexcept {
    return Scheduler::instance().look_at_clock();
}

}  // namespace weft::os

extern "C" {

// The linker sends calls of syscall() and sched_yield() here (--wrap), and names the true ones so.
long __real_syscall(long number, ...);
int __real_sched_yield();

int __wrap_sched_yield();
int __wrap_sched_yield() {
    if (!weft::model::Scheduler::instance().is_modelled()) return __real_sched_yield();
    weft::model::Scheduler::instance().yield();
    return 0;
}

long __wrap_syscall(long number, ...);
long __wrap_syscall(long number, ...) {
    va_list list;
    va_start(list, number);
    long arguments[6];
    for (long& each : arguments) each = va_arg(list, long);
    va_end(list);
    auto& scheduler = weft::model::Scheduler::instance();
    if (number != SYS_futex || !scheduler.is_modelled()) {
        return __real_syscall(number, arguments[0], arguments[1], arguments[2], arguments[3],
                              arguments[4], arguments[5]);
    }
    auto* const address = reinterpret_cast<const int*>(arguments[0]);
    const auto value = static_cast<int>(arguments[2]);
    switch (arguments[1] & FUTEX_CMD_MASK) {
        case FUTEX_WAIT:
            if (*address != value) {
                errno = EAGAIN;
                return -1;
            }
            scheduler.futex_wait(address, [=] { return *address == value; }, INT64_MAX);
            return 0;
        case FUTEX_WAKE:
            return scheduler.futex_wake(address, value);
        default:
            scheduler.fail("a futex operation that the model does not know");
    }
}
}
