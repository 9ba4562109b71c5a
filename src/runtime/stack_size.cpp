#include "runtime/stack_size.hpp"

#include <cerrno>
#include <stdexcept>
#include <system_error>

#include <weft/detail/atomic.hpp>

#include "detail/fmt.hpp"
#include "os/posix/thread.hpp"

namespace weft::runtime {

namespace {

constexpr std::size_t kLeastStack = 32 * 1024;

constinit detail::Atomic<std::size_t> size_of_stacks{0};

}  // namespace

std::size_t default_stack_size() noexcept {
    return size_of_stacks.load(std::memory_order_relaxed);
}

std::size_t set_default_stack_size(std::size_t size) {
    if (size != 0) require_stack_size(size);
    return size_of_stacks.exchange(size, std::memory_order_relaxed);
}

void require_stack_size(std::size_t size) {
    if (size < kLeastStack) {
        throw std::invalid_argument(
            fmt::format("stack_size: {} bytes are too few; give at least {}, or 0 for the default",
                        size, kLeastStack));
    }
    const int error = os::try_stack_size(size);
    if (error == EINVAL) {
        throw std::invalid_argument(
            fmt::format("stack_size: the system does not accept {} bytes", size));
    }
    if (error != 0) {
        throw std::system_error(error, std::generic_category(), "stack_size: pthread_attr_init");
    }
}

}  // namespace weft::runtime
