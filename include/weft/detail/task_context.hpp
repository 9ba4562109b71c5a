#pragma once

#include <utility>

#include <weft/contextvars/binding.hpp>
#include <weft/detail/config.hpp>

namespace weft::detail {

/// The values that the context variables had where a call was submitted: what it runs with. A word;
/// null when none had a value.
class TaskContext {
public:
    TaskContext() noexcept {
        if (contextvars::detail::current.bindings.root != nullptr) pack();
    }
    TaskContext(const TaskContext&) = delete;
    TaskContext& operator=(const TaskContext&) = delete;
    ~TaskContext() { drop(); }

    void drop() noexcept {
        if (bindings_.root != nullptr) unpack();
    }

    /// A call under way, in a context of its own: what it sets is gone afterwards.
    class Scope {
    public:
        /// Takes the values.
        explicit Scope(TaskContext& context) noexcept {
            // Most calls have no values, on threads that have none: then there is nothing to change
            // and, if the call leaves it so, nothing to change back.
            is_entered_ = context.bindings_.root != nullptr ||
                          contextvars::detail::current.bindings.root != nullptr;
            if (is_entered_) enter(context);
        }
        ~Scope() {
            if (is_entered_ || contextvars::detail::current.bindings.root != nullptr) leave();
        }
        Scope(const Scope&) = delete;
        Scope& operator=(const Scope&) = delete;

    private:
        WEFT_API void enter(TaskContext& context) noexcept;
        WEFT_API void leave() noexcept;

        bool is_entered_;
        contextvars::detail::Frame frame_;  ///< written only if entered
    };

private:
    WEFT_API void pack() noexcept;
    WEFT_API void unpack() noexcept;

    contextvars::detail::Bindings bindings_;
};

}  // namespace weft::detail
