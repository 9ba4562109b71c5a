#pragma once

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

/// Hands the exception that is being handled, which has left `thread`'s target, to the hook. Lets
/// forced unwinding pass, and nothing else.
void report_uncaught(const Thread& thread);

}  // namespace weft::threading
