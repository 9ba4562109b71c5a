#include "support/watchdog.hpp"

#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <string>
#include <system_error>

#include "support/budget.hpp"
#include "support/stacks.hpp"

namespace weft::test {

namespace {

timer_t timer;
constinit std::atomic<bool> has_expired{false};
long budget_seconds = 0;
std::array<char, 256> guarded{};  ///< what is being watched, for the message
std::array<char, 512> temporary{};

int watchdog_signal() {
    return SIGRTMIN + 3;  // qemu-user does not have the last ones
}

WEFT_TEST_NO_SANITIZE void set_timer(long seconds) {
    itimerspec when{};
    when.it_value.tv_sec = seconds;
    timer_settime(timer, 0, &when, nullptr);
}

WEFT_TEST_NO_SANITIZE void on_expiry(int) {
    // The second time, writing the stacks has hung as well.
    if (has_expired.exchange(true)) _exit(Watchdog::kHangStatus);
    set_timer(std::max(30L, budget_seconds / 2));
    write_text(2, "\nwatchdog: ");
    write_text(2, guarded.data());
    write_text(2, " has not ended within ");
    write_number(2, budget_seconds);
    write_text(2, " s; these are the stacks of all threads\n");
    print_all_stacks(2);
    write_text(2, "watchdog: the program ends here\n");
    rmdir(temporary.data());
    _exit(Watchdog::kHangStatus);
}

template <std::size_t kSize>
void copy_text(const std::string& from, std::array<char, kSize>& to) {
    const std::size_t length = std::min(from.size(), kSize - 1);
    std::memcpy(to.data(), from.data(), length);
    to[length] = '\0';
}

void guard(const std::string& what) {
    copy_text(what, guarded);
    set_timer(budget_seconds);
}

}  // namespace

Watchdog::Watchdog(const std::string& temporary_directory) {
    copy_text(temporary_directory, temporary);
    budget_seconds = static_cast<long>(case_budget().count());
    prepare_stacks();
    handle_at_once(watchdog_signal(), &on_expiry);
    sigevent event{};
    event.sigev_notify = SIGEV_SIGNAL;
    event.sigev_signo = watchdog_signal();
    if (timer_create(CLOCK_MONOTONIC, &event, &timer) != 0) {
        throw std::system_error(errno, std::generic_category(), "timer_create");
    }
}

void Watchdog::OnTestStart(const testing::TestInfo& info) {
    guard(std::string(info.test_suite_name()) + "." + info.name());
}

void Watchdog::OnTestEnd(const testing::TestInfo&) {
    set_timer(0);
}

void Watchdog::OnTestProgramEnd(const testing::UnitTest&) {
    guard("the end of the program, after its last case,");
}

}  // namespace weft::test
