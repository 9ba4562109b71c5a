#pragma once

#include <exception>

#include <weft/threading/thread.hpp>

#include "runtime/registry.hpp"

namespace weft::detail {

/// The way between handles and states.
struct ThreadAccess {
    [[nodiscard]] static threading::Thread handle(runtime::ThreadPointer state) {
        auto object = state->object.lock();
        return threading::Thread(std::move(state), std::move(object));
    }
    [[nodiscard]] static ThreadState& state(const threading::Thread& thread) noexcept {
        return *thread.state_;
    }
};

}  // namespace weft::detail

namespace weft::threading {

/// Hands an exception that has left `thread`'s target to the hook. Throws nothing, but lets forced
/// unwinding pass; not to be called while an exception is being handled.
void report_uncaught(const Thread& thread, const std::exception_ptr& exception);

}  // namespace weft::threading
