#pragma once

#include <cassert>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>

namespace weft::detail {

/// The place of one T, or of none. Unlike std::optional it is filled with what a function returns,
/// in place: without a move, and without a conversion that a T which takes anything (std::any)
/// would understand as its own.
template <class T>
class Slot {
public:
    constexpr Slot() noexcept : nothing_() {}
    Slot(Slot&& other) noexcept(std::is_nothrow_move_constructible_v<T>) : Slot() {
        take_from(other);
    }
    Slot& operator=(Slot&& other) noexcept(std::is_nothrow_move_constructible_v<T>) {
        if (this != &other) {
            reset();
            take_from(other);
        }
        return *this;
    }
    ~Slot() { reset(); }

    [[nodiscard]] bool has_value() const noexcept { return has_value_; }
    [[nodiscard]] T& operator*() noexcept {
        assert(has_value_);
        return value_;
    }

    /// Makes the value that `make()` returns the slot's; there is none before. When it throws,
    /// there is none afterwards either.
    template <class Make>
    void fill(Make make) {
        static_assert(std::is_same_v<decltype(make()), T>, "no conversion takes place");
        assert(!has_value_);
        ::new (static_cast<void*>(std::addressof(value_))) T(make());
        has_value_ = true;
    }

    void reset() noexcept {
        if (!has_value_) return;
        has_value_ = false;
        std::destroy_at(std::addressof(value_));
    }

private:
    void take_from(Slot& other) {
        if (!other.has_value_) return;
        ::new (static_cast<void*>(std::addressof(value_))) T(std::move(other.value_));
        has_value_ = true;
        other.reset();
    }

    union {
        char nothing_;
        T value_;
    };
    bool has_value_ = false;
};

}  // namespace weft::detail
