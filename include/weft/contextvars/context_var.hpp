#pragma once

#include <concepts>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <weft/contextvars/binding.hpp>
#include <weft/detail/config.hpp>

namespace weft::contextvars {

template <class T>
class ContextVar;
template <class T>
class Scoped;
class Context;
class Variable;

/// The type of Token::MISSING.
struct Missing {
    friend bool operator==(Missing, Missing) noexcept = default;
};

/// What a variable's value was before it was set: a value, or MISSING. A copy shares the value.
template <class T>
class OldValue {
public:
    [[nodiscard]] bool has_value() const noexcept { return !share_.is_none(); }
    explicit operator bool() const noexcept { return has_value(); }
    /// The value: a `T` for small plain types, else a reference that is good as long as this
    /// object. Throws weft::LookupError when there was none.
    [[nodiscard]] typename detail::ValueType<T>::Result value() const& {
        if (!has_value()) detail::throw_missing(*variable_);
        return detail::ValueType<T>::read(share_.value());
    }
    [[nodiscard]] typename detail::ValueType<T>::Result operator*() const& { return value(); }

    friend bool operator==(const OldValue& a, Missing) noexcept { return !a.has_value(); }
    friend bool operator==(const OldValue& a, const T& b)
        requires std::equality_comparable<T>
    {
        return a.has_value() && static_cast<bool>(a.value() == b);
    }

private:
    template <class>
    friend class Token;
    OldValue(const detail::VariableInfo& variable, detail::Share share) noexcept
        : variable_(&variable), share_(std::move(share)) {}

    const detail::VariableInfo* variable_;
    detail::Share share_;
};

/// What ContextVar::set() returns, with which that can be undone once. Only movable.
///
/// Dropping it does nothing: the variable keeps its value. Use it on one thread at a time.
template <class T>
class Token {
public:
    /// What old_value() is equal to when the variable had no value.
    static constexpr Missing MISSING{};

    Token(Token&& other) noexcept
        : variable_(other.variable_),
          context_(other.context_),
          old_(std::move(other.old_)),
          is_used_(std::exchange(other.is_used_, true)) {}
    Token& operator=(Token&& other) noexcept {
        variable_ = other.variable_;
        context_ = other.context_;
        old_ = std::move(other.old_);
        is_used_ = std::exchange(other.is_used_, true);
        return *this;
    }
    ~Token() = default;

    /// The variable that it was made by, which must still exist.
    [[nodiscard]] const ContextVar<T>& var() const noexcept { return *variable_; }

    /// The value before the set, or MISSING. Also after the token was used.
    [[nodiscard]] OldValue<T> old_value() const noexcept { return {variable_->info_, old_}; }

    /// Python's text form, such as `<Token used var=<ContextVar name='depth'>>`.
    [[nodiscard]] std::string repr() const {
        return detail::describe_token(variable_->info_, is_used_);
    }

private:
    friend class ContextVar<T>;
    friend class Scoped<T>;
    Token(const ContextVar<T>& variable, std::uint64_t context, detail::Share old) noexcept
        : variable_(&variable), context_(context), old_(std::move(old)) {}

    const ContextVar<T>* variable_;
    std::uint64_t context_;
    detail::Share old_;
    // Tokens are mostly kept in constants, and reset() takes those.
    mutable bool is_used_ = false;
};

/// A variable that has a value in each context: Python's `contextvars.ContextVar`.
///
/// Whoever runs in a context (a thread in its own, or in Context::run()) sees and sets the value
/// there; what others set in theirs is invisible. Declare variables at namespace scope:
///
///     contextvars::ContextVar<std::string> request("request", "none");
///     { auto scoped = request.scoped("GET /"); handle(); }   // set, and reset at the scope's end
///
/// A value is never changed once it is bound: contexts that are copies of each other share it, on
/// any threads, so whatever a `const T` lets several threads do at once must be safe. T may be a
/// type that cannot be copied; it is destroyed on the thread that lets go of it last. Small plain
/// types (up to eight bytes, trivially copyable) are kept and returned by value.
///
/// Variables are told apart by identity, also when they have the same name; they are neither copied
/// nor moved. All members may be called by any threads at once. A variable may die before a context
/// that has a value for it: the context keeps the value, and the name. What the library remembers
/// of a variable that was ever set, some hundred bytes, stays until the program ends.
template <class T>
class ContextVar {
    static_assert(std::is_object_v<T> && !std::is_array_v<T> &&
                      std::same_as<T, std::remove_cv_t<T>>,
                  "ContextVar<T> binds objects: T must not be a reference, an array, void, a "
                  "function, const or volatile.");
    using Type = detail::ValueType<T>;

public:
    /// What get() returns: `T` for small plain types, else `const T&`.
    using Result = typename Type::Result;

    /// A variable without default. The name is for people. Throws `std::bad_alloc`.
    explicit ContextVar(std::string name) : ContextVar(std::move(name), Inheritance::none) {}

    /// One whose get() returns `default_value` where it has no value. Throws what making a T of it
    /// throws as well.
    template <class Default>
        requires std::constructible_from<T, Default>
    ContextVar(std::string name, Default&& default_value)
        : ContextVar(std::move(name), Inheritance::none, std::forward<Default>(default_value)) {}

    /// A variable whose value a thread takes over from the thread that starts it: where it has one,
    /// weft::threading::Thread binds it in the new thread's context too.
    [[nodiscard]] static ContextVar thread_inheritable(std::string name) {
        return ContextVar(std::move(name), Inheritance::thread);
    }
    template <class Default>
        requires std::constructible_from<T, Default>
    [[nodiscard]] static ContextVar thread_inheritable(std::string name, Default&& default_value) {
        return ContextVar(std::move(name), Inheritance::thread,
                          std::forward<Default>(default_value));
    }

    ContextVar(const ContextVar&) = delete;
    ContextVar& operator=(const ContextVar&) = delete;
    ~ContextVar() {
        default_ = detail::Share();
        detail::drop_variable(info_);
    }

    [[nodiscard]] const std::string& name() const noexcept { return info_.name; }

    /// The value in the current context, else the variable's default. A reference is good until
    /// this thread sets or resets the variable, or leaves the context. Throws weft::LookupError
    /// when there is neither.
    [[nodiscard]] Result get() const {
        const detail::Word* const known = detail::current.known_value(index_);
        if (known != nullptr) [[likely]]
            return Type::read(*known);
        return Type::read(find());
    }

    /// The value in the current context, else `default_value`; the variable's own default does not
    /// count.
    template <class Default>
        requires std::constructible_from<T, Default> && std::copy_constructible<T>
    [[nodiscard]] T get(Default&& default_value) const {
        const detail::Word* const bound = detail::look_up(info_);
        return bound != nullptr ? T(Type::read(*bound)) : T(std::forward<Default>(default_value));
    }

    /// Gives the variable a value in the current context, and returns what undoes that. Throws
    /// `std::bad_alloc`, and what making a T of `value` throws; then nothing has changed.
    template <class Value = T>
        requires std::constructible_from<T, Value>
    Token<T> set(Value&& value) {
        detail::Share made(info_, Type::make(std::forward<Value>(value)));
        const std::uint64_t context = detail::current_context_number();
        detail::Share old = detail::bind(info_, made.value());
        made.give_up();
        return Token<T>(*this, context, std::move(old));
    }

    /// Gives the variable the value that it had before the set() that returned `token`, whatever
    /// was set since; if it had none, it has none again. Throws `std::runtime_error` when the token
    /// was used before, `std::invalid_argument` when it is another variable's or was made in
    /// another context, and `std::bad_alloc`; then nothing has changed.
    void reset(const Token<T>& token) {
        if (token.is_used_) detail::throw_token_used(info_);
        if (token.variable_ != this) detail::throw_other_variable(token.variable_->info_, info_);
        if (token.context_ != detail::current_context_number()) detail::throw_other_context(info_);
        // Dropped last: a value's destructor may use the variable and the token.
        detail::Share replaced;
        if (token.old_.is_none()) {
            replaced = detail::unbind(info_);
        } else {
            detail::Share old = token.old_;
            replaced = detail::bind(info_, old.value());
            old.give_up();
        }
        token.is_used_ = true;
    }

    /// Sets the variable until the end of a scope. Throws as set() does.
    template <class Value = T>
        requires std::constructible_from<T, Value>
    [[nodiscard]] Scoped<T> scoped(Value&& value) {
        return Scoped<T>(set(std::forward<Value>(value)));
    }

    /// Python's text form, such as `<ContextVar name='depth'>`.
    [[nodiscard]] std::string repr() const { return detail::describe_variable(info_); }

    /// Variables are equal when they are the same.
    friend bool operator==(const ContextVar& a, const ContextVar& b) noexcept { return &a == &b; }

private:
    friend class Token<T>;
    friend class Scoped<T>;
    friend class Context;
    friend class Variable;

    enum class Inheritance : bool { none, thread };

    ContextVar(std::string name, Inheritance inheritance)
        : info_(detail::make_variable(std::move(name), detail::value_traits<T>,
                                      inheritance == Inheritance::thread)) {}
    ContextVar(std::string name, Inheritance inheritance, auto&& default_value)
        : ContextVar(std::move(name), inheritance) {
        default_ =
            detail::Share(info_, Type::make(std::forward<decltype(default_value)>(default_value)));
    }

    const detail::Word& find() const {
        const detail::Word* const bound = detail::look_up(info_);
        if (bound == nullptr && default_.is_none()) detail::throw_unbound(info_);
        return detail::current.remember(index_, bound != nullptr ? *bound : default_.value());
    }

    detail::VariableInfo& info_;
    const std::uint32_t index_ = info_.index;
    detail::Share default_;
};

/// Ties a token to a scope: what `with var.set(...)` is in Python 3.14.
///
///     contextvars::Scoped held(depth.set(5));
template <class T>
class Scoped {
public:
    /// Throws `std::runtime_error` when the token was used.
    explicit Scoped(Token<T> token) : token_(std::move(token)) {
        if (token_.is_used_) detail::throw_token_used(token_.var().info_);
    }
    Scoped(Scoped&&) noexcept = default;
    Scoped& operator=(Scoped&&) = delete;
    /// Resets the variable, unless that was done with the token. Must run in the context in which
    /// the variable was set: elsewhere, and when there is no memory for it, the value stays, and
    /// weft::unraisablehook is told.
    ~Scoped() {
        if (token_.is_used_) return;
        try {
            const_cast<ContextVar<T>&>(token_.var()).reset(token_);
        } catch (...) {
            detail::report_lost_reset(token_.var().info_);
        }
    }

    [[nodiscard]] const Token<T>& token() const noexcept { return token_; }

private:
    Token<T> token_;
};

}  // namespace weft::contextvars

/// Equal variables have equal hashes.
template <class T>
struct std::hash<weft::contextvars::ContextVar<T>> {
    std::size_t operator()(const weft::contextvars::ContextVar<T>& variable) const noexcept {
        return std::hash<const void*>()(&variable);
    }
};
