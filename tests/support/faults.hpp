#pragma once

#include <cstddef>
#include <functional>
#include <string_view>

// Failing the n-th allocation and the n-th system call, for every n. For programs that link
// weft_test_faults; docs/decisions/0003-fault-injection.md says how it is done.

namespace weft::test::faults {

/// Whose calls are counted and failed.
enum class Threads { this_one, all };

/// Whether one call fails, or that call and all that follow until the body has ended.
enum class Persistence { once, from_then_on };

struct AllocationOptions {
    Threads threads = Threads::this_one;
    Persistence persistence = Persistence::once;
    /// Called after each run of the body, with nothing failing: checks that nothing is torn.
    std::function<void()> invariant = [] {};
};

/// Runs `body` again and again, failing its first allocation, its second, and so on, until a run
/// needs no more allocations than were let through. Counted are operator new in all its forms, by
/// whomever it is called, and malloc, calloc, realloc, aligned_alloc and posix_memalign where this
/// program's own code and Weft's call them.
///
/// The body may throw `std::bad_alloc` or what derives from it, and only in a run with a failure;
/// it may also succeed in spite of one. Anything else fails the case. Returns in how many runs
/// something failed.
std::size_t for_every_allocation(const std::function<void()>& body,
                                 const AllocationOptions& options = {});

/// A system call that is about to be made.
struct Call {
    std::string_view name;  ///< of the C library's function; futex_wait or futex_wake for futexes
};

/// What the call may fail with in a sound program, or 0 where the system never refuses: EINTR for a
/// futex wait (a return for no reason), EMFILE for what makes descriptors, EAGAIN for threads and
/// processes, ENOMEM for memory.
[[nodiscard]] int usual_error(const Call& call);

struct CallOptions {
    Threads threads = Threads::this_one;
    Persistence persistence = Persistence::once;
    std::function<void()> invariant = [] {};
    /// The errno with which a call fails; 0 leaves it alone and does not count it.
    std::function<int(const Call&)> error = usual_error;
};

/// The same for system calls. The body may throw any `std::system_error` or `std::bad_alloc` in a
/// run with a failure.
std::size_t for_every_system_call(const std::function<void()>& body,
                                  const CallOptions& options = {});

/// While one lives, nothing fails or is counted on its thread: for a body's own preparations.
class Pause {
public:
    Pause() noexcept;
    ~Pause();
    Pause(const Pause&) = delete;
    Pause& operator=(const Pause&) = delete;
};

}  // namespace weft::test::faults
