#include <weft/contextvars/context.hpp>

#include <cassert>
#include <mutex>
#include <stdexcept>

#include "contextvars/bindings.hpp"
#include "contextvars/current.hpp"
#include "detail/fmt.hpp"

namespace weft::contextvars {

using detail::Bindings;
using detail::Share;
using detail::VariableInfo;
using detail::Word;

namespace {

/// A share of bindings, for as long as a scope.
class Shared {
public:
    explicit Shared(Bindings bindings) noexcept : bindings_(bindings) {}
    ~Shared() { release(bindings_); }
    Shared(const Shared&) = delete;
    Shared& operator=(const Shared&) = delete;
    [[nodiscard]] const Bindings& get() const noexcept { return bindings_; }

private:
    Bindings bindings_;
};

Share share_of(const VariableInfo& info, Word value) noexcept {
    retain(info, value);
    return {info, value};
}

/// Calls `visit(variable, value)` for each binding until one returns false; true when none did.
template <class Visit>
bool visit_all(const Bindings& bindings, Visit visit) {
    return detail::for_each(
        bindings,
        [](void* context, const VariableInfo& info, const Word& value) {
            return (*static_cast<Visit*>(context))(info, value);
        },
        &visit);
}

}  // namespace

Context copy_context() noexcept {
    return Context(share(detail::current.bindings));
}

// A thread that runs in this context has its bindings in `current` or in a frame, where no other
// thread looks. Only such a thread finds it there, so the look needs no lock.
Bindings Context::shared_bindings() const noexcept {
    if (const Bindings* const mine = detail::entered_bindings(this)) return share(*mine);
    const std::scoped_lock held(mutex_);
    return share(bindings_);
}

bool Context::is_entered() const noexcept {
    return entered_in_.load(std::memory_order_acquire) != 0;
}

Context::Context(const Context& other) noexcept : bindings_(other.shared_bindings()) {}

Context::Context(Context&& other) noexcept {
    if (other.is_entered()) {
        bindings_ = other.shared_bindings();
        return;
    }
    bindings_ = std::exchange(other.bindings_, Bindings{});
    number_ = std::exchange(other.number_, 0);
}

void Context::throw_if_entered() const {
    if (is_entered()) {
        throw std::runtime_error(
            "=: the context is entered; assign to it after its run() has ended");
    }
}

void Context::replace(Bindings bindings, std::uint64_t number) {
    const Shared given(bindings);
    throw_if_entered();
    const Shared old(std::exchange(bindings_, share(bindings)));
    number_ = number;
}

Context& Context::operator=(const Context& other) {
    if (this != &other) replace(other.shared_bindings(), 0);
    return *this;
}

Context& Context::operator=(Context&& other) {
    if (this != &other) {
        throw_if_entered();  // before the other one has lost anything
        Context taken(std::move(other));
        replace(share(taken.bindings_), taken.number_);
    }
    return *this;
}

Context::~Context() {
    // In a child of fork() it may be entered by a thread that the child does not have.
    assert(entered_in_.load(std::memory_order_acquire) !=
               weft::detail::fork_generation.load(std::memory_order_relaxed) &&
           "a context was destroyed while a thread ran in it");
    release(bindings_);
}

Context::Entered::Entered(Context& context) : context_(context) {
    // Acquire pairs with the release in the destructor: what was bound there is seen.
    std::uint32_t nobody = 0;
    if (!context.entered_in_.compare_exchange_strong(
            nobody, weft::detail::fork_generation.load(std::memory_order_relaxed),
            std::memory_order_acquire, std::memory_order_relaxed)) {
        throw std::runtime_error(
            "run: the context is entered already; run in a copy of it, or after that run() has "
            "ended");
    }
    // The context keeps its share, so that it can be read and copied meanwhile, and lends it.
    detail::enter(frame_, &context, context.bindings_, true, context.number_);
}

Context::Entered::~Entered() {
    const detail::Left left = detail::leave(frame_);
    context_.number_ = left.number;
    if (left.is_lent) {
        context_.entered_in_.store(0, std::memory_order_release);
        return;
    }
    Bindings before;
    {
        const std::scoped_lock held(context_.mutex_);
        before = std::exchange(context_.bindings_, left.bindings);
    }
    context_.entered_in_.store(0, std::memory_order_release);
    release(before);
}

Share Context::find(const VariableInfo& info) const noexcept {
    const Shared shared(shared_bindings());
    const Word* const value = detail::find(shared.get(), info);
    return value != nullptr ? share_of(info, *value) : Share();
}

std::size_t Context::size() const noexcept {
    return size_of(Shared(shared_bindings()).get());
}

std::vector<Variable> Context::keys() const {
    const Shared shared(shared_bindings());
    std::vector<Variable> keys;
    keys.reserve(size_of(shared.get()));
    visit_all(shared.get(), [&](const VariableInfo& info, Word) {
        keys.push_back(Variable(info));
        return true;
    });
    return keys;
}

std::vector<Value> Context::values() const {
    const Shared shared(shared_bindings());
    std::vector<Value> values;
    values.reserve(size_of(shared.get()));
    visit_all(shared.get(), [&](const VariableInfo& info, Word value) {
        values.push_back(Value(share_of(info, value)));
        return true;
    });
    return values;
}

std::vector<std::pair<Variable, Value>> Context::items() const {
    const Shared shared(shared_bindings());
    std::vector<std::pair<Variable, Value>> items;
    items.reserve(size_of(shared.get()));
    visit_all(shared.get(), [&](const VariableInfo& info, Word value) {
        items.emplace_back(Variable(info), Value(share_of(info, value)));
        return true;
    });
    return items;
}

bool Context::is_equal(const Context& other) const {
    const Shared mine(shared_bindings());
    const Shared theirs(other.shared_bindings());
    if (mine.get().root == theirs.get().root) return true;
    if (size_of(mine.get()) != size_of(theirs.get())) return false;
    return visit_all(mine.get(), [&](const VariableInfo& info, Word value) {
        const Word* const counterpart = detail::find(theirs.get(), info);
        return counterpart != nullptr &&
               (*counterpart == value || info.type.is_equal(value, *counterpart));
    });
}

std::string Context::repr() const {
    return fmt::format("<Context of {} variables>", size());
}

}  // namespace weft::contextvars
