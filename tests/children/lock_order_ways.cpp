// Takes locks in the way that its argument names. WEFT_LOCK_ORDER says whether somebody looks.

#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <string>
#include <string_view>
#include <thread>

#include <weft/threading/lock.hpp>
#include <weft/unraisable.hpp>

#include "children/ways.hpp"

namespace {

using namespace weft;
using threading::Guard;
using threading::Lock;

Lock first;
Lock second;

void take_both(Lock& outer, Lock& inner) {
    const Guard held(outer);
    const Guard held_too(inner);
}

int both_orders() {
    take_both(first, second);
    take_both(second, first);
    return 0;
}

/// Forks while another thread keeps the checker busy, and while this one holds a lock.
int by_fork() {
    std::atomic<int> warnings{0};
    set_warning_handler([&warnings](WarningCategory, std::string_view) { ++warnings; });
    take_both(first, second);
    std::atomic<bool> is_over{false};
    std::thread busy([&is_over] {
        Lock own;
        Lock other;
        while (!is_over) take_both(own, other);
    });
    Lock held_over_fork;
    held_over_fork.acquire();
    const pid_t child = fork();
    if (child == 0) {
        take_both(second, first);  // the child has seen no other order
        held_over_fork.release();
        take_both(first, held_over_fork);
        take_both(first, second);
        ways::say("child: " + std::to_string(warnings));
        _exit(0);
    }
    int status = -1;
    waitpid(child, &status, 0);
    held_over_fork.release();
    is_over = true;
    busy.join();
    take_both(second, first);
    ways::say("parent: " + std::to_string(warnings));
    return status == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
    return ways::take({{"both_orders", both_orders}, {"fork", by_fork}}, argc, argv);
}
