#include <weft/_thread/identity.hpp>

#include "os/posix/thread.hpp"
#include "runtime/stack_size.hpp"

namespace weft::_thread {

std::uint64_t get_ident() noexcept {
    return os::current_thread();
}

std::uint64_t get_native_id() noexcept {
    return os::native_thread_id();
}

std::size_t stack_size() noexcept {
    return runtime::default_stack_size();
}

std::size_t stack_size(std::size_t size) {
    return runtime::set_default_stack_size(size);
}

}  // namespace weft::_thread
