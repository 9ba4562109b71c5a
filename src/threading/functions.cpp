#include <weft/threading/functions.hpp>

#include "contextvars/inheritance.hpp"
#include "runtime/registry.hpp"
#include "threading/thread_access.hpp"

namespace weft::threading {

bool thread_inherit_context() noexcept {
    return contextvars::detail::inherits_context.load(std::memory_order_relaxed);
}

bool thread_inherit_context(bool inherits) noexcept {
    return contextvars::detail::inherits_context.exchange(inherits, std::memory_order_relaxed);
}

Thread current_thread() {
    return detail::ThreadAccess::handle(runtime::registry.current());
}

Thread currentThread() {
    return current_thread();
}

Thread main_thread() {
    return detail::ThreadAccess::handle(runtime::registry.main());
}

std::vector<Thread> enumerate() {
    const std::vector<runtime::ThreadPointer> states = runtime::registry.all();
    std::vector<Thread> threads;
    threads.reserve(states.size());
    for (const auto& state : states) threads.push_back(detail::ThreadAccess::handle(state));
    return threads;
}

std::size_t active_count() noexcept {
    return runtime::registry.count();
}

std::size_t activeCount() noexcept {
    return active_count();
}

}  // namespace weft::threading
