#pragma once

#include <array>
#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>

#include <weft/detail/atomic.hpp>
#include <weft/detail/config.hpp>

// What a variable's values are to a context, whatever their type. src/contextvars/bindings.hpp has
// the map from variables to values, and src/contextvars/current.cpp a thread's current context.

namespace weft::contextvars::detail {

/// A value, as a context holds it: a small plain object itself, or the address of a Box.
using Word = std::uint64_t;

/// A value that several contexts share, and that nobody changes.
struct BoxBase {
    weft::detail::Atomic<std::uint32_t> owners{1};
};

/// What contexts know of the type of a variable's values.
struct ValueTraits {
    bool is_inline;                                      ///< values are words, and not boxes
    void (*destroy)(Word value) noexcept;                ///< of a value that is not inline
    bool (*is_equal)(Word a, Word b);                    ///< of two values that are not one
    const void* (*address)(const Word& value) noexcept;  ///< of the object that a word means
    const char* type;                                    ///< one address for each type
};

/// What is known of a variable. Lives on after it when it was ever bound, for the contexts that may
/// still name it.
struct VariableInfo {
    VariableInfo(std::string its_name, const ValueTraits& its_type, bool its_inheritance,
                 std::uint32_t its_index)
        : name(std::move(its_name)),
          type(its_type),
          is_thread_inheritable(its_inheritance),
          index(its_index) {}

    const std::string name;
    const ValueTraits type;
    const bool is_thread_inheritable;
    const std::uint32_t index;  ///< no other variable of this process has it, ever
    weft::detail::Atomic<bool> was_bound{false};
    VariableInfo* next_kept = nullptr;
};

template <class T>
inline constexpr char type_mark = 0;

/// Whether values of the type can be compared. The standard's containers declare `==` whatever they
/// hold, so what they hold is looked at too.
template <class T>
consteval bool is_comparable() {
    if constexpr (!std::equality_comparable<T>) {
        return false;
    } else if constexpr (requires { typename T::mapped_type; }) {
        return is_comparable<typename T::key_type>() && is_comparable<typename T::mapped_type>();
    } else if constexpr (requires { typename T::value_type; }) {
        using Element = std::remove_cv_t<typename T::value_type>;
        if constexpr (std::same_as<Element, T>) {
            return true;
        } else {
            return is_comparable<Element>();
        }
    } else if constexpr (requires { std::tuple_size<T>::value; }) {
        return []<std::size_t... I>(std::index_sequence<I...>) {
            return (is_comparable<std::remove_cv_t<std::tuple_element_t<I, T>>>() && ...);
        }(std::make_index_sequence<std::tuple_size_v<T>>());
    } else {
        return true;
    }
}

/// How values of one type become words.
template <class T>
struct ValueType {
    static constexpr bool is_inline =
        std::is_trivially_copyable_v<T> && sizeof(T) <= sizeof(Word) && alignof(T) <= alignof(Word);

    struct Box : BoxBase {
        template <class... Args>
        explicit Box(std::in_place_t, Args&&... args) : value(std::forward<Args>(args)...) {}
        const T value;
    };

    /// What get() returns: a copy of a small plain value, a reference to any other.
    using Result = std::conditional_t<is_inline, T, const T&>;

    template <class... Args>
    static Word make(Args&&... args) {
        if constexpr (is_inline) {
            const T value(std::forward<Args>(args)...);
            Word word = 0;
            std::memcpy(&word, std::addressof(value), sizeof(T));
            return word;
        } else {
            return reinterpret_cast<std::uintptr_t>(
                new Box(std::in_place, std::forward<Args>(args)...));
        }
    }
    static Result read(const Word& word) noexcept {
        if constexpr (is_inline) {
            std::array<std::byte, sizeof(T)> bytes;
            std::memcpy(bytes.data(), &word, sizeof(T));
            return std::bit_cast<T>(bytes);
        } else {
            return box(word).value;
        }
    }

    static void destroy(Word word) noexcept {
        if constexpr (!is_inline) delete &box(word);
    }
    static bool is_equal(Word a, Word b) {
        if constexpr (is_comparable<T>()) {
            return static_cast<bool>(read(a) == read(b));
        } else {
            return a == b;
        }
    }
    static const void* address(const Word& word) noexcept {
        if constexpr (is_inline) {
            return &word;
        } else {
            return std::addressof(box(word).value);
        }
    }

private:
    static Box& box(Word word) noexcept {
        return *reinterpret_cast<Box*>(static_cast<std::uintptr_t>(word));
    }
};

template <class T>
inline constexpr ValueTraits value_traits{ValueType<T>::is_inline, &ValueType<T>::destroy,
                                          &ValueType<T>::is_equal, &ValueType<T>::address,
                                          &type_mark<T>};

/// Registers a variable. Throws `std::bad_alloc`.
[[nodiscard]] WEFT_API VariableInfo& make_variable(std::string name, const ValueTraits& type,
                                                   bool is_thread_inheritable);
/// Ends a variable, of which only contexts may still speak.
WEFT_API void drop_variable(VariableInfo& info) noexcept;

/// Of a value that is not inline. Compiled, so that compilers do not follow a small plain value
/// through code that takes it for an address.
WEFT_API void retain_box(Word value) noexcept;
WEFT_API void release_box(const VariableInfo& info, Word value) noexcept;

inline void retain(const VariableInfo& info, Word value) noexcept {
    if (!info.type.is_inline) retain_box(value);
}
inline void release(const VariableInfo& info, Word value) noexcept {
    if (!info.type.is_inline) release_box(info, value);
}

/// One share of a value, or none.
class Share {
public:
    Share() noexcept = default;
    /// Takes over a share.
    Share(const VariableInfo& info, Word value) noexcept : info_(&info), value_(value) {}
    Share(Share&& other) noexcept
        : info_(std::exchange(other.info_, nullptr)), value_(other.value_) {}
    Share& operator=(Share&& other) noexcept {
        Share old(std::move(*this));
        info_ = std::exchange(other.info_, nullptr);
        value_ = other.value_;
        return *this;
    }
    Share(const Share& other) noexcept : info_(other.info_), value_(other.value_) {
        if (info_ != nullptr) retain(*info_, value_);
    }
    Share& operator=(const Share& other) noexcept { return *this = Share(other); }
    ~Share() {
        if (info_ != nullptr) release(*info_, value_);
    }

    [[nodiscard]] bool is_none() const noexcept { return info_ == nullptr; }
    [[nodiscard]] const Word& value() const noexcept { return value_; }
    [[nodiscard]] const VariableInfo* info() const noexcept { return info_; }
    /// Gives the share to the caller.
    Word give_up() noexcept {
        info_ = nullptr;
        return value_;
    }

private:
    const VariableInfo* info_ = nullptr;
    Word value_ = 0;
};

class Node;

/// A map from variables to values that never changes while more than one has it.
struct Bindings {
    Node* root = nullptr;
};

/// One Context::run() under way, on the stack of its thread.
struct Frame {
    const void* context = nullptr;  ///< the Context that was entered
    Bindings outer_bindings;        ///< of the context that was current before
    bool outer_is_lent = false;
    std::uint64_t outer_number = 0;
    Frame* outer = nullptr;
};

/// What a thread remembers of its current context. Needs no destructor, so that it can be read
/// until the thread's last instruction.
struct Current {
    /// What was looked up last, by the low bits of the variable's index. An entry counts only in
    /// the version of the context in which it was made.
    struct Known {
        std::uint64_t variable = 0;  ///< its index, and one: addresses are used again
        std::uint64_t version = 0;
        Word value = 0;  ///< bound, or the variable's default
    };
    static constexpr std::size_t kKnown = 16;

    std::uint64_t version = 1;  ///< changes whenever another context becomes current
    std::array<Known, kKnown> known{};
    Bindings bindings;
    bool is_lent = false;       ///< the share is an entered Context's, until something is set
    std::uint64_t context = 0;  ///< the context's number; 0 until somebody needs one
    Frame* frame = nullptr;     ///< the innermost run(); null in the thread's own context
    std::uint64_t next_number = 0;
    std::uint64_t last_number = 0;
    bool will_be_released = false;

    /// The value that get() is to return, if it is known; else null.
    [[nodiscard]] const Word* known_value(std::uint32_t index) const noexcept {
        const Known& entry = known[index % kKnown];
        return entry.variable == std::uint64_t{index} + 1 && entry.version == version ? &entry.value
                                                                                      : nullptr;
    }
    const Word& remember(std::uint32_t index, Word value) noexcept {
        Known& entry = known[index % kKnown];
        entry = {.variable = std::uint64_t{index} + 1, .version = version, .value = value};
        return entry.value;
    }
    void forget(std::uint32_t index) noexcept { known[index % kKnown].variable = 0; }
};

WEFT_API extern constinit thread_local Current current;

/// Looks for a variable in the current context. Null when it is not bound there.
[[nodiscard]] WEFT_API const Word* look_up(const VariableInfo& info) noexcept;
/// Binds a variable in the current context to a value, of which it takes over a share. Returns the
/// share that the context had of the value before. Throws `std::bad_alloc`; then nothing has
/// changed, and the share is still the caller's.
[[nodiscard]] WEFT_API Share bind(VariableInfo& info, Word value);
/// Removes the variable from the current context, and returns the share that this had of the value.
[[nodiscard]] WEFT_API Share unbind(const VariableInfo& info);
/// The number of the current context, which no other context ever has.
[[nodiscard]] WEFT_API std::uint64_t current_context_number() noexcept;

[[noreturn]] WEFT_API void throw_unbound(const VariableInfo& info);
[[noreturn]] WEFT_API void throw_no_key(const VariableInfo& info);
[[noreturn]] WEFT_API void throw_token_used(const VariableInfo& info);
[[noreturn]] WEFT_API void throw_other_variable(const VariableInfo& token,
                                                const VariableInfo& variable);
[[noreturn]] WEFT_API void throw_other_context(const VariableInfo& info);
[[noreturn]] WEFT_API void throw_other_type(const VariableInfo& info);
[[noreturn]] WEFT_API void throw_missing(const VariableInfo& info);
[[nodiscard]] WEFT_API std::string describe_variable(const VariableInfo& info);
[[nodiscard]] WEFT_API std::string describe_token(const VariableInfo& info, bool is_used);
/// Tells of a reset at a scope's end that could not be done.
WEFT_API void report_lost_reset(const VariableInfo& info) noexcept;

}  // namespace weft::contextvars::detail
