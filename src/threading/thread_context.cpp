#include <weft/threading/thread_context.hpp>

#include <weft/contextvars/context.hpp>

namespace weft::threading {

ThreadContext::ThreadContext(const contextvars::Context& context)
    : context_(std::make_shared<contextvars::Context>(context)), is_own_(true) {}

ThreadContext::ThreadContext(std::reference_wrapper<contextvars::Context> context) noexcept
    : context_(std::shared_ptr<void>(), &context.get()) {}

ThreadContext::ThreadContext(const ThreadContext& other)
    : context_(other.is_own_ ? std::make_shared<contextvars::Context>(*other.context_)
                             : other.context_),
      is_own_(other.is_own_) {}

}  // namespace weft::threading
