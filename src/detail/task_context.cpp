#include <weft/detail/task_context.hpp>

#include <utility>

#include "contextvars/bindings.hpp"
#include "contextvars/current.hpp"

namespace weft::detail {

using contextvars::detail::Bindings;
using contextvars::detail::current;

void TaskContext::pack() noexcept {
    bindings_ = contextvars::detail::share(current.bindings);
}

void TaskContext::unpack() noexcept {
    contextvars::detail::release(std::exchange(bindings_, Bindings{}));
}

void TaskContext::Scope::enter(TaskContext& context) noexcept {
    contextvars::detail::enter(frame_, this, std::exchange(context.bindings_, Bindings{}), false,
                               0);
}

void TaskContext::Scope::leave() noexcept {
    if (is_entered_) {
        contextvars::detail::release(contextvars::detail::leave(frame_).bindings);
        return;
    }
    // The call has set variables of the thread's own context, which had none. A value's destructor
    // may set them again.
    while (current.bindings.root != nullptr) {
        ++current.version;
        current.context = 0;
        contextvars::detail::release(std::exchange(current.bindings, Bindings{}));
    }
    ++current.version;
}

}  // namespace weft::detail
