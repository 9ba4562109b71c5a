#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace weft::os {

/// What the system calls a thread inside this process (`pthread_t`): never zero, the same in the
/// thread that forked and in its copy, reused once the thread is joined.
using ThreadHandle = std::uint64_t;

[[nodiscard]] ThreadHandle current_thread() noexcept;

/// The kernel's number of the calling thread, unique in the system while it lives.
[[nodiscard]] std::uint64_t native_thread_id() noexcept;

/// True on the thread that the process began with, which after fork is the one that forked.
[[nodiscard]] bool is_first_thread() noexcept;

/// The kernel's number of that thread, which is the process's.
[[nodiscard]] std::uint64_t first_thread_id() noexcept;

/// A thread, or the error number with which the system refused it.
struct NewThread {
    ThreadHandle handle = 0;
    int error = 0;
};

/// Starts a joinable thread that runs `entry(argument)`; 0 asks for the system's stack size.
[[nodiscard]] NewThread create_thread(void* (*entry)(void*), void* argument,
                                      std::size_t stack_size) noexcept;

/// Waits until the thread is gone. Once for each thread, and never on the thread itself. Not a
/// cancellation point.
void join_thread(ThreadHandle thread) noexcept;

/// Zero when the system takes a stack of this size, else the number of its error: EINVAL when it
/// does not.
[[nodiscard]] int try_stack_size(std::size_t size) noexcept;

/// Tells the system the calling thread's name: as many whole characters of UTF-8 as fit.
void set_current_thread_name(std::string_view name) noexcept;

/// A slot of every thread whose value, when it is not null, is handed to a function while the
/// thread ends. That is after the thread's `thread_local` objects are gone, and not in exit().
using EndSlot = unsigned int;
[[nodiscard]] std::optional<EndSlot> create_end_slot(void (*at_end)(void*)) noexcept;
/// Returns 0, or an error number when memory is short.
[[nodiscard]] int set_end_slot(EndSlot slot, void* value) noexcept;

/// Has `child` called in every child of fork() before fork() returns there. False when memory is
/// short.
[[nodiscard]] bool call_in_forked_child(void (*child)()) noexcept;

/// Blocks for ever. Not a cancellation point.
[[noreturn]] void sleep_for_ever() noexcept;

}  // namespace weft::os
