#include "runtime/fork.hpp"

#include <new>

#include <weft/detail/low_lock.hpp>

#include "detail/clock.hpp"
#include "detail/fd_waker.hpp"
#include "detail/interruption.hpp"
#include "detail/local_slot.hpp"
#include "os/cpu.hpp"
#include "os/posix/thread.hpp"
#include "runtime/exit.hpp"
#include "runtime/registry.hpp"

namespace weft::runtime {

namespace {

void in_forked_child() {
    // First of all: this is what frees the locks and empties the lists that the steps below use.
    detail::fork_generation.fetch_add(2, std::memory_order_seq_cst);
    os::forget_usable_cpus();
    detail::restart_clock_after_fork();
    detail::forget_interrupts_after_fork();
    detail::forget_fd_wakers_after_fork();
    detail::keep_only_own_locals();
    restart_after_fork();
    registry.keep_only_this_thread();
}

}  // namespace

void handle_forks() {
    // No handler before the fork: it would have to hold the registry's lock while the handlers of
    // others run, and those may well use Weft, for instance to stop their own threads.
    if (!os::call_in_forked_child(&in_forked_child)) throw std::bad_alloc();
}

}  // namespace weft::runtime
