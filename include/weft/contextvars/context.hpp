#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <weft/contextvars/binding.hpp>
#include <weft/contextvars/context_var.hpp>
#include <weft/detail/atomic.hpp>
#include <weft/detail/config.hpp>
#include <weft/detail/low_lock.hpp>

namespace weft::contextvars {

/// A variable that a context has a value for, without its type: what iterating a Context gives.
/// Good also after the variable itself is gone.
class Variable {
public:
    [[nodiscard]] const std::string& name() const noexcept { return info_->name; }
    /// `<ContextVar name='depth'>`
    [[nodiscard]] std::string repr() const { return detail::describe_variable(*info_); }

    friend bool operator==(Variable a, Variable b) noexcept { return a.info_ == b.info_; }
    template <class T>
    friend bool operator==(Variable a, const ContextVar<T>& b) noexcept {
        return a.info_ == &info_of(b);
    }

private:
    friend class Context;
    friend class Value;
    friend struct std::hash<Variable>;
    explicit Variable(const detail::VariableInfo& info) noexcept : info_(&info) {}
    template <class T>
    static const detail::VariableInfo& info_of(const ContextVar<T>& variable) noexcept {
        return variable.info_;
    }

    const detail::VariableInfo* info_;
};

/// A value of a context, without its type. Shares it with the context, which may be gone.
class Value {
public:
    /// Whether it is a `T`.
    template <class T>
    [[nodiscard]] bool is() const noexcept {
        return share_.info()->type.type == &detail::type_mark<T>;
    }
    /// The value, as long as this object. Throws weft::TypeError when it is not a `T`.
    template <class T>
    [[nodiscard]] const T& get() const& {
        if (!is<T>()) detail::throw_other_type(*share_.info());
        return *static_cast<const T*>(share_.info()->type.address(share_.value()));
    }

    /// By the `==` of the values' type, where it has one; else values are equal that are one.
    friend bool operator==(const Value& a, const Value& b) {
        return a.share_.info()->type.type == b.share_.info()->type.type &&
               (a.share_.value() == b.share_.value() ||
                a.share_.info()->type.is_equal(a.share_.value(), b.share_.value()));
    }

private:
    friend class Context;
    explicit Value(detail::Share share) noexcept : share_(std::move(share)) {}

    detail::Share share_;
};

/// A copy of the current context, in constant time.
[[nodiscard]] WEFT_API Context copy_context() noexcept;

/// A map from variables to values in which code can run: Python's `contextvars.Context`.
///
///     auto context = contextvars::copy_context();
///     context.run(handle, request);      // what handle() sets stays in `context`
///     context[depth];
///
/// It is read like a map, and changed only by what runs in it. Copies are independent and take
/// constant time, whatever is in it. It is in one run() at most, in any thread.
///
/// Any threads may read and copy it at once, also while another thread runs in it: they see it then
/// as it was when it was entered, as a thread that itself runs in it sees it as it is. Assigning to
/// it and destroying it is for one thread, and never while it is entered: assigning then throws,
/// and destroying is a mistake that an assertion reports in debug builds. Moving one that is
/// entered copies it.
///
/// A child of fork() has the context. One that another thread was running in counts as entered
/// there for ever, but can be read and copied.
class Context {
public:
    /// An empty context.
    constexpr Context() noexcept = default;
    WEFT_API Context(const Context& other) noexcept;
    WEFT_API Context(Context&& other) noexcept;
    /// Throw `std::runtime_error` when this context is entered.
    WEFT_API Context& operator=(const Context& other);
    WEFT_API Context& operator=(Context&& other);
    WEFT_API ~Context();

    /// Calls `callable(args...)` with this context as the current one, and returns what it returns.
    /// The context that was current is so again afterwards, however the call ends; what was set
    /// meanwhile stays here. Throws `std::runtime_error` when the context is entered already, in
    /// this or another thread, and what the callable throws.
    template <class Callable, class... Args>
        requires std::invocable<Callable, Args...>
    decltype(auto) run(Callable&& callable, Args&&... args) {
        const Entered entered(*this);
        return std::invoke(std::forward<Callable>(callable), std::forward<Args>(args)...);
    }

    /// An independent copy.
    [[nodiscard]] Context copy() const noexcept { return *this; }

    /// Whether the variable has a value here; its default does not count, here and below.
    template <class T>
    [[nodiscard]] bool contains(const ContextVar<T>& variable) const noexcept {
        return !find(variable.info_).is_none();
    }

    /// The variable's value. Throws weft::KeyError when it has none here. A reference is good as
    /// long as the context is neither changed nor destroyed.
    template <class T>
    [[nodiscard]] typename ContextVar<T>::Result operator[](const ContextVar<T>& variable) const {
        const detail::Share share = find(variable.info_);
        if (share.is_none()) detail::throw_no_key(variable.info_);
        return detail::ValueType<T>::read(share.value());
    }

    /// A copy of the variable's value, or nothing.
    template <std::copy_constructible T>
    [[nodiscard]] std::optional<T> get(const ContextVar<T>& variable) const {
        const detail::Share share = find(variable.info_);
        if (share.is_none()) return std::nullopt;
        return std::optional<T>(detail::ValueType<T>::read(share.value()));
    }

    /// A copy of the variable's value, or `default_value`.
    template <std::copy_constructible T, class Default>
        requires std::constructible_from<T, Default>
    [[nodiscard]] T get(const ContextVar<T>& variable, Default&& default_value) const {
        const detail::Share share = find(variable.info_);
        return share.is_none() ? T(std::forward<Default>(default_value))
                               : T(detail::ValueType<T>::read(share.value()));
    }

    /// How many variables have a value here.
    [[nodiscard]] WEFT_API std::size_t size() const noexcept;
    [[nodiscard]] bool empty() const noexcept { return size() == 0; }

    /// The variables that have a value here, in the order in which they were made; their values in
    /// the same order; and both. Copies of this moment. Throw `std::bad_alloc`.
    [[nodiscard]] WEFT_API std::vector<Variable> keys() const;
    [[nodiscard]] WEFT_API std::vector<Value> values() const;
    [[nodiscard]] WEFT_API std::vector<std::pair<Variable, Value>> items() const;

    /// Visits a copy of keys(), which the first iterator owns.
    class Iterator {
    public:
        using value_type = Variable;
        using difference_type = std::ptrdiff_t;

        const Variable& operator*() const noexcept { return (*keys_)[at_]; }
        const Variable* operator->() const noexcept { return &(*keys_)[at_]; }
        Iterator& operator++() noexcept {
            ++at_;
            return *this;
        }
        Iterator operator++(int) noexcept {
            Iterator before = *this;
            ++at_;
            return before;
        }
        friend bool operator==(const Iterator& a, const Iterator& b) noexcept {
            return a.at_ == b.at_;
        }
        friend bool operator==(const Iterator& a, std::default_sentinel_t) noexcept {
            return a.at_ == a.keys_->size();
        }
        Iterator() noexcept = default;

    private:
        friend class Context;
        explicit Iterator(std::vector<Variable> keys)
            : keys_(std::make_shared<const std::vector<Variable>>(std::move(keys))) {}

        std::shared_ptr<const std::vector<Variable>> keys_;
        std::size_t at_ = 0;
    };
    [[nodiscard]] Iterator begin() const { return Iterator(keys()); }
    [[nodiscard]] std::default_sentinel_t end() const noexcept { return {}; }

    /// Contexts are equal when the same variables have equal values. Throws what comparing two
    /// values throws.
    friend bool operator==(const Context& a, const Context& b) { return a.is_equal(b); }

    /// Such as `<Context of 3 variables>`.
    [[nodiscard]] WEFT_API std::string repr() const;

    /// One run() of the context, for as long as it lives, on the thread that made it: what run()
    /// is made from, for scopes that cannot be a call. The scopes of a thread end in the reverse
    /// order of their beginning. The context must outlive it.
    class Entered {
    public:
        /// Throws as run() does.
        WEFT_API explicit Entered(Context& context);
        WEFT_API ~Entered();
        Entered(const Entered&) = delete;
        Entered& operator=(const Entered&) = delete;

    private:
        Context& context_;
        detail::Frame frame_;
    };

private:
    friend Context copy_context() noexcept;

    explicit Context(detail::Bindings bindings) noexcept : bindings_(bindings) {}
    [[nodiscard]] WEFT_API detail::Share find(const detail::VariableInfo& info) const noexcept;
    [[nodiscard]] WEFT_API bool is_equal(const Context& other) const;
    [[nodiscard]] detail::Bindings shared_bindings() const noexcept;
    [[nodiscard]] bool is_entered() const noexcept;
    void throw_if_entered() const;
    void replace(detail::Bindings bindings, std::uint64_t number);

    /// The fork generation in which it was entered, or 0. While it is set, only the thread that set
    /// it changes the rest.
    weft::detail::Atomic<std::uint32_t> entered_in_{0};
    mutable weft::detail::LowLock mutex_;  ///< guards bindings_ against being changed and read
    detail::Bindings bindings_;  ///< this has a share; while entered, of what it had at first
    std::uint64_t number_ = 0;   ///< by which tokens know it; 0 until one is made
};

}  // namespace weft::contextvars

/// Equal variables have equal hashes.
template <>
struct std::hash<weft::contextvars::Variable> {
    std::size_t operator()(weft::contextvars::Variable variable) const noexcept {
        return std::hash<const void*>()(variable.info_);
    }
};
