#include <weft/_thread/identity.hpp>

#include <stdexcept>

#include <fmt/format.h>

#include <weft/detail/atomic.hpp>

#include "os/posix/thread.hpp"

namespace weft::_thread {

namespace {

constexpr std::size_t kLeastStack = 32 * 1024;

constinit detail::Atomic<std::size_t> size_of_stacks{0};

}  // namespace

std::uint64_t get_ident() noexcept { return os::current_thread(); }

std::uint64_t get_native_id() noexcept { return os::native_thread_id(); }

std::size_t stack_size() noexcept { return size_of_stacks.load(std::memory_order_relaxed); }

std::size_t stack_size(std::size_t size) {
    if (size != 0 && size < kLeastStack) {
        throw std::invalid_argument(
            fmt::format("stack_size: {} bytes are too few; give at least {}, or 0 for the default",
                        size, kLeastStack));
    }
    if (size != 0 && !os::accepts_stack_size(size)) {
        throw std::invalid_argument(
            fmt::format("stack_size: the system does not accept {} bytes", size));
    }
    return size_of_stacks.exchange(size, std::memory_order_relaxed);
}

}  // namespace weft::_thread
