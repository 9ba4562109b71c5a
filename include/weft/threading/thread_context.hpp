#pragma once

#include <functional>
#include <memory>

#include <weft/detail/config.hpp>

namespace weft::contextvars {
class Context;
}

namespace weft::threading {

/// The context that a thread is to run in: what `ThreadOptions::context` is made from.
///
///     Thread({.context = contextvars::copy_context()}, work);   // what is set here, now
///     Thread({.context = contextvars::Context()}, work);        // nothing
///     Thread({.context = std::ref(context)}, work);             // what work() sets stays in there
///
/// A value: copies of one that holds a context of its own hold copies of that.
class ThreadContext {
public:
    /// None: the thread's context is empty, or a copy of the starter's (see
    /// `ThreadOptions::context`).
    ThreadContext() noexcept = default;
    /// A copy of the context as it is now. Throws `std::bad_alloc`.
    WEFT_API ThreadContext(const contextvars::Context& context);
    /// That context itself, which must live until the thread has ended.
    WEFT_API ThreadContext(std::reference_wrapper<contextvars::Context> context) noexcept;

    WEFT_API ThreadContext(const ThreadContext& other);
    ThreadContext(ThreadContext&& other) noexcept = default;
    ThreadContext& operator=(const ThreadContext& other) { return *this = ThreadContext(other); }
    ThreadContext& operator=(ThreadContext&& other) noexcept = default;
    ~ThreadContext() = default;

private:
    friend class Thread;

    std::shared_ptr<contextvars::Context> context_;  ///< null when there is none
    bool is_own_ = false;
};

}  // namespace weft::threading
