#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>

#include <weft/detail/low_lock.hpp>
#include <weft/detail/wait_list.hpp>

#include "os/process.hpp"

namespace weft::subprocess {

/// A child of this process, from its start until it has been reaped.
///
///     running --(a look finds the end, and reaps)--> ended
///        |
///        +--(a look finds the end, reaped by somebody else)--> ended, its usage unknown
///
/// All looks are made under `lock_`, so exactly one of many callers reaps, and all others find the
/// state `ended` and its code. A wait sleeps on the pidfd, which stays readable from the end on, so
/// any number of threads can wait. Signals go through the pidfd, which never means another process;
/// without one they are sent under the same lock, while nobody can reap.
///
/// In a child of fork() the parent's children can be looked at, and are never reaped.
class ChildProcess {
public:
    ChildProcess(os::ProcessId pid, os::Descriptor pidfd, bool leads_group) noexcept
        : pid_(pid), pidfd_(std::move(pidfd)), leads_group_(leads_group) {}
    ChildProcess(const ChildProcess&) = delete;
    ChildProcess& operator=(const ChildProcess&) = delete;

    /// The returncode, if it has been found or can be found now. Never blocks.
    std::optional<int> poll() noexcept;
    /// The returncode, if it has been found.
    [[nodiscard]] std::optional<int> code() const noexcept;
    /// Blocks until poll() gives one (`notified`), or a limit ends the wait. Throws
    /// `std::system_error` when the system is short of descriptors for the wait.
    weft::detail::WaitEnd wait(const weft::detail::WaitLimits& limits);

    /// Sends a signal unless the child has ended. Throws `std::system_error`.
    void signal(int number);
    /// Sends a signal to the group that the child leads or led; false when nothing got it. Throws
    /// `std::system_error`.
    bool signal_group(int number);
    /// To its group if it leads one, else to the child.
    void signal_all(int number);
    /// From now on, whoever finds the end of a child that leads a group kills what is left of that
    /// group before the child is reaped: afterwards an older kernel could not name it any more.
    void kill_group_at_end() noexcept;

    [[nodiscard]] os::ProcessId pid() const noexcept { return pid_; }
    [[nodiscard]] int pidfd() const noexcept { return pidfd_.fd(); }
    [[nodiscard]] bool leads_group() const noexcept { return leads_group_; }
    [[nodiscard]] std::optional<os::Usage> usage() const noexcept;
    /// False in a child of fork().
    [[nodiscard]] bool is_own() const noexcept {
        return generation_ == weft::detail::fork_generation.load(std::memory_order_relaxed);
    }

private:
    friend class Reaper;

    void look_locked() noexcept;
    weft::detail::WaitEnd wait_without_pidfd(const weft::detail::WaitLimits& limits);

    const os::ProcessId pid_;
    const os::Descriptor pidfd_;
    const bool leads_group_;
    const std::uint32_t generation_ = weft::detail::fork_generation.load(std::memory_order_relaxed);

    mutable weft::detail::LowLock lock_;
    std::atomic<bool> has_ended_{false};  ///< set under lock_, after code_ and usage_
    bool is_reaped_ = false;              ///< guarded by lock_
    bool kills_group_at_end_ = false;     ///< guarded by lock_
    int code_ = 0;
    std::optional<os::Usage> usage_;
    std::unique_ptr<ChildProcess> next_;  ///< the reaper's
};

/// The children that nobody has a Popen of any more: reaped by later starts, so that at most those
/// stay zombies that have ended since the last one.
void leave_to_reaper(std::unique_ptr<ChildProcess> child) noexcept;
void reap_left_children() noexcept;

}  // namespace weft::subprocess
