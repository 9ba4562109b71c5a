#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

namespace weft {

/// What bind_front() gives: a callable together with its first arguments.
template <class Function, class... Bound>
class BoundFront {
public:
    constexpr BoundFront(Function callable, std::tuple<Bound...> first)
        : function_(std::move(callable)), bound_(std::move(first)) {}

    /// Calls the function with the bound arguments and then these. Throws what the function throws.
    /// The bound arguments are handed over as what they are in this object: as lvalues, or to be
    /// moved from when this object is an rvalue.
    template <class... Rest>
        requires std::is_invocable_v<Function&, Bound&..., Rest...>
    constexpr decltype(auto) operator()(Rest&&... rest) & {
        return call(*this, std::forward<Rest>(rest)...);
    }
    template <class... Rest>
        requires std::is_invocable_v<const Function&, const Bound&..., Rest...>
    constexpr decltype(auto) operator()(Rest&&... rest) const& {
        return call(*this, std::forward<Rest>(rest)...);
    }
    template <class... Rest>
        requires std::is_invocable_v<Function, Bound..., Rest...>
    constexpr decltype(auto) operator()(Rest&&... rest) && {
        return call(std::move(*this), std::forward<Rest>(rest)...);
    }

    [[nodiscard]] constexpr const Function& function() const noexcept { return function_; }
    [[nodiscard]] constexpr const std::tuple<Bound...>& bound() const noexcept { return bound_; }

private:
    template <class Self, class... Rest>
    static constexpr decltype(auto) call(Self&& self, Rest&&... rest) {
        return std::apply(
            [&](auto&&... first) -> decltype(auto) {
                return std::invoke(std::forward<Self>(self).function_,
                                   std::forward<decltype(first)>(first)...,
                                   std::forward<Rest>(rest)...);
            },
            std::forward<Self>(self).bound_);
    }

    Function function_;
    std::tuple<Bound...> bound_;
};

namespace detail {

template <class T>
inline constexpr bool is_owned_text = false;
template <class Traits, class Allocator>
inline constexpr bool is_owned_text<std::basic_string<char, Traits, Allocator>> = true;

/// What is kept of a bound argument: text as std::string, for whoever it points into may be gone.
template <class T>
using BoundOf =
    std::conditional_t<std::is_convertible_v<const std::decay_t<T>&, std::string_view> &&
                           !std::is_null_pointer_v<std::decay_t<T>> &&
                           !is_owned_text<std::decay_t<T>>,
                       std::string, std::decay_t<T>>;

struct BindFront {
    template <class Function, class... First>
    [[nodiscard]] constexpr BoundFront<std::decay_t<Function>, BoundOf<First>...> operator()(
        Function&& function, First&&... first) const {
        return {std::forward<Function>(function),
                std::tuple<BoundOf<First>...>(std::forward<First>(first)...)};
    }
};

}  // namespace detail

/// bind_front(function, first...) gives a callable that calls `function` with `first...` and then
/// the arguments it is given, as `std::bind_front` does. Unlike that, it can be sent to another
/// process: its parts can be seen. They are copied or moved into it; text is kept as `std::string`.
/// Throws what copying throws. Several threads may call one such object at once if they may call
/// the function so. (It is an object, so that `std::bind_front` does not come in by its arguments.)
inline constexpr detail::BindFront bind_front{};

}  // namespace weft
