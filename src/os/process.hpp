#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "os/descriptor.hpp"

namespace weft::os {

using ProcessId = std::int32_t;

/// What a child does between its beginning and the new program, in this order; `clone` is the
/// parent's part. A failure names the step.
enum class SpawnStep : std::uint8_t {
    none,
    clone,
    terminal,
    redirect,
    pass,
    folder,
    session,
    group_of_processes,
    extra_groups,
    group,
    user,
    before_exec,
    close,
    exec,
};

/// The name of the system call that a step makes.
[[nodiscard]] const char* name_of(SpawnStep step) noexcept;

/// Everything a child needs, laid out by its parent: between its beginning and the new program the
/// child allocates nothing, takes no lock and calls only the kernel. What is pointed to must
/// outlive spawn().
struct SpawnPlan {
    std::span<const char* const> programs;    ///< paths, tried in this order
    char* const* arguments = nullptr;         ///< ends with null
    char* const* environment = nullptr;       ///< ends with null; null itself: as here
    const char* folder = nullptr;             ///< null: the parent's
    std::array<int, 3> standard{-1, -1, -1};  ///< what becomes 0, 1, 2; -1: as in the parent
    std::span<const int> kept{};              ///< ascending; stay open under their numbers
    bool closes_others = true;                ///< every other descriptor above 2
    bool restores_signals = true;             ///< SIGPIPE and SIGXFSZ by default
    bool starts_session = false;
    int terminal = -1;  ///< which of 0, 1, 2 becomes the controlling terminal of its session
    std::optional<ProcessId> process_group{};  ///< 0: a new one
    int umask = -1;
    std::optional<std::uint32_t> user{};
    std::optional<std::uint32_t> group{};
    std::optional<std::span<const std::uint32_t>> extra_groups{};
    std::optional<std::uint64_t> signal_mask{};  ///< blocked in the child; nothing: as here
    int death_signal = 0;  ///< sent to the child when the thread that started it ends; 0: none
    bool may_share_memory = true;  ///< false: fork()
    /// Called just before the descriptors are closed; forces fork(). Writes a reason for a failure
    /// into `reason` (of `size` bytes) and returns false.
    bool (*before_exec)(void* subject, char* reason, std::size_t size) noexcept = nullptr;
    void* subject = nullptr;
};

/// A child that runs a new program, or the step that failed, in which case there is no child.
struct Spawned {
    ProcessId pid = -1;
    Descriptor pidfd{};  ///< none where the system has none
    SpawnStep failed_step = SpawnStep::none;
    int error = 0;            ///< errno
    std::size_t program = 0;  ///< which of the programs the error is of
    std::string reason{};     ///< what before_exec wrote
};

/// Starts a child. Signals are held back from the calling thread meanwhile; the child has default
/// actions in the place of handlers before any signal reaches it. Blocks until the new program
/// runs or the child has failed, and leaves no zombie then. Throws `std::bad_alloc` and, where an
/// error pipe is needed, `std::system_error`.
[[nodiscard]] Spawned spawn(const SpawnPlan& plan);

/// What a process has used up.
struct Usage {
    std::int64_t user_ns = 0;
    std::int64_t system_ns = 0;
    std::int64_t max_resident_bytes = 0;
    std::int64_t minor_faults = 0;
    std::int64_t major_faults = 0;
    std::int64_t voluntary_switches = 0;
    std::int64_t involuntary_switches = 0;
};

/// A look at a child.
struct ChildLook {
    enum class State : std::uint8_t {
        running,
        ended,  ///< and reaped by this look
        lost,   ///< ended, and reaped by somebody else
    };
    State state = State::running;
    int code = 0;  ///< the exit status, or minus the signal; zero when lost and not known
    bool has_code = false;
    Usage usage{};  ///< of one that was reaped by this look
};

/// Reaps the child if it has ended. Never blocks. `pidfd` may be -1.
[[nodiscard]] ChildLook look_at_child(ProcessId pid, int pidfd) noexcept;

/// Whether the child has ended and nobody has reaped it: until somebody does, its number, and its
/// group's, is nobody else's. Reaps nothing. `pidfd` may be -1.
[[nodiscard]] bool is_unreaped(ProcessId pid, int pidfd) noexcept;

/// Blocks until the child has ended, and leaves it to be reaped; or returns early for any reason:
/// the caller looks. Cheaper than a look at a descriptor first, for whoever waits for nothing else.
void wait_for_child(int pidfd);

/// Sends a signal to a child that has not been reaped; returns errno or 0.
[[nodiscard]] int send_signal(ProcessId pid, int pidfd, int signal) noexcept;

/// Sends a signal to the process group that the child leads or led; returns errno or 0. Once the
/// child `is_reaped`, or somebody else has reaped it, this needs a kernel that finds the group by
/// the pidfd (6.9), and is ENOTSUP elsewhere: the number could be another's.
[[nodiscard]] int signal_group(ProcessId pid, int pidfd, int signal, bool is_reaped) noexcept;

/// The signals that the calling thread blocks: bit 0 is signal 1.
[[nodiscard]] std::uint64_t signal_mask() noexcept;
/// Blocks all signals of the calling thread.
void block_signals() noexcept;

[[nodiscard]] ProcessId this_process() noexcept;

/// The variables of this process: `name=value`, ending with null.
[[nodiscard]] char** environment() noexcept;

/// The largest user or group number, plus one.
[[nodiscard]] constexpr std::int64_t id_limit() noexcept {
    return (std::int64_t{1} << 32) - 1;
}

// What a kernel may lack. Set when that is found out; tests set them to try the other ways.
enum MissingFeature : unsigned {
    kNoClone3 = 1,
    kNoSharedMemory = 2,  ///< vfork() is emulated by fork()
    kNoPidfd = 4,
    kNoCloseRange = 8,
    kNoGroupSignal = 16,
    kSharingTried = 32,  ///< whether vfork() is emulated has been looked at
};
extern std::atomic<unsigned> missing_features;

}  // namespace weft::os
