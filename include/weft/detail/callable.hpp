#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>

#include <weft/bind_front.hpp>
#include <weft/detail/callable_place.hpp>
#include <weft/detail/config.hpp>
#include <weft/pickle/functions.hpp>

// Calls that are made in another process of the same program: a worker of a pool, a spawned
// process.
//
// State of a module (the program, a shared library, a plugin): the list of its entries, one for
// each combination of callable and arguments that its code packs anywhere. An entry joins the list
// when the module is loaded, before main, and leaves it when the module is closed. A packed call
// names the module by its build-id and the entry by its offset in it, so it means the same code
// wherever the module lies. The callable's own state and the arguments follow as one pickle.
//
// Packed calls are no pickles: no function that reads pickles takes one. What is called first is an
// entry and nothing else; but the state may be the place of any function of a known module, and the
// path of a library to load. So whoever can make a process run packed calls can make it do
// anything: they are sent through private channels only, between a process and those it started.

namespace weft::detail {

/// How a callable travels.
enum class Travel {
    stateless,  ///< a lambda without captures, an empty functor: made anew on arrival
    function,   ///< a function: its place
    method,     ///< a member function: its place, or its slot
    pickled,    ///< a functor with members that can be pickled
    bound,      ///< what weft::bind_front() gives: its callable and its arguments
    refused_lambda,
    refused_class,
};

template <class F>
inline constexpr bool is_bound = false;
template <class F, class... Bound>
inline constexpr bool is_bound<BoundFront<F, Bound...>> = true;

template <class F>
consteval Travel travel_of();

template <class F, class... Bound>
consteval bool bound_travels(std::type_identity<BoundFront<F, Bound...>>) {
    return travel_of<F>() < Travel::refused_lambda && (pickle::detail::is_picklable<Bound> && ...);
}

template <class F>
consteval Travel travel_of() {
    if constexpr (is_bound<F>) {
        return bound_travels(std::type_identity<F>()) ? Travel::bound : Travel::refused_class;
    } else if constexpr (std::is_pointer_v<F> && std::is_function_v<std::remove_pointer_t<F>>) {
        return Travel::function;
    } else if constexpr (std::is_member_function_pointer_v<F>) {
        return Travel::method;
    } else if constexpr (!std::is_class_v<F>) {
        return Travel::refused_class;
    } else if constexpr (std::is_empty_v<F> && std::is_default_constructible_v<F>) {
        return Travel::stateless;
    } else if constexpr (pickle::detail::is_picklable<F>) {
        return Travel::pickled;
    } else if constexpr (!std::is_default_constructible_v<F> && !std::is_aggregate_v<F> &&
                         !std::is_polymorphic_v<F>) {
        return Travel::refused_lambda;
    } else {
        return Travel::refused_class;
    }
}

/// Whether a callable of this type can be sent to another process.
template <class F>
concept travelling = travel_of<std::decay_t<F>>() < Travel::refused_lambda;

/// What of a callable is pickled.
template <class F>
auto state_of(const F& callable) {
    if constexpr (travel_of<F>() == Travel::function) {
        return place_of(reinterpret_cast<FunctionAddress>(callable));
    } else if constexpr (travel_of<F>() == Travel::method) {
        return method_place_of(&callable, sizeof callable);
    } else if constexpr (travel_of<F>() == Travel::stateless) {
        return std::monostate();
    } else if constexpr (travel_of<F>() == Travel::bound) {
        return std::apply(
            [&](const auto&... bound) {
                return std::tuple<decltype(state_of(callable.function())),
                                  std::remove_cvref_t<decltype(bound)>...>(
                    state_of(callable.function()), bound...);
            },
            callable.bound());
    } else {
        return callable;
    }
}

template <class F>
using StateOf = decltype(state_of(std::declval<const F&>()));

template <class F>
F callable_from(StateOf<F>&& state);

template <class F, class... Bound, class State>
BoundFront<F, Bound...> bound_from(std::type_identity<BoundFront<F, Bound...>>, State&& state) {
    return std::apply(
        [](StateOf<F>& of_function, Bound&... bound) {
            return BoundFront<F, Bound...>(callable_from<F>(std::move(of_function)),
                                           std::tuple<Bound...>(std::move(bound)...));
        },
        state);
}

template <class F>
F callable_from(StateOf<F>&& state) {
    if constexpr (travel_of<F>() == Travel::function) {
        return reinterpret_cast<F>(function_at(state));
    } else if constexpr (travel_of<F>() == Travel::method) {
        F callable;
        method_at(state, &callable, sizeof callable);
        return callable;
    } else if constexpr (travel_of<F>() == Travel::stateless) {
        return F{};
    } else if constexpr (travel_of<F>() == Travel::bound) {
        return bound_from(std::type_identity<F>(), std::move(state));
    } else {
        return std::move(state);
    }
}

/// What arrives of an argument: text arrives as std::string.
template <class T>
using ArgumentOf = BoundOf<T>;

template <class F, class... Args>
struct CallableEntry {
    using Parcel = std::tuple<StateOf<F>, Args...>;

    /// Reads the state and the arguments, makes the call, and appends the pickle of what it returns
    /// (None for nothing). Throws what the callable throws.
    static void call(pickle::BytesView parcel, weft::bytes& result) {
        auto parts = pickle::loads<Parcel>(parcel);
        std::apply(
            [&](StateOf<F>& state, Args&... args) {
                F callable = callable_from<F>(std::move(state));
                using Result = std::invoke_result_t<F&, Args&&...>;
                if constexpr (std::is_void_v<Result>) {
                    std::invoke(callable, std::move(args)...);
                    pickle::dump(nullptr, result);
                } else {
                    pickle::dump(static_cast<const std::remove_cvref_t<Result>&>(
                                     std::invoke(callable, std::move(args)...)),
                                 result);
                }
            },
            parts);
    }

    inline static EntryRegistration registration{&call};
};

/// A call that run_packed() of another process of this program will make. Throws PicklingError for
/// state or arguments that cannot be pickled, and `std::runtime_error` if the module with the
/// callable was linked without a build-id.
template <class F, class... Args>
weft::bytes pack_call(const F& callable, const Args&... args) {
    using Callable = std::decay_t<F>;
    static_assert(travel_of<Callable>() != Travel::refused_lambda,
                  "Weft cannot send a callable with captures to another process: hand over what it "
                  "captures as arguments, bind it with weft::bind_front, or make it a struct with "
                  "members and operator().");
    static_assert(
        travel_of<Callable>() != Travel::refused_class,
        "Weft cannot send this callable to another process, because its state cannot be "
        "pickled: use a function, a lambda without captures, or a struct with members that "
        "can be pickled.");
    if constexpr (travelling<Callable>) {
        using Entry = CallableEntry<Callable, ArgumentOf<Args>...>;
        static_assert(std::is_invocable_v<Callable&, ArgumentOf<Args>&&...>,
                      "This callable cannot be called with these arguments.");
        // Named, so that it exists; not asked, for it may be made later than this call is packed.
        static_cast<void>(&Entry::registration);
        weft::bytes packed = begin_packed(&Entry::call);
        const Callable& decayed = callable;
        const StateOf<Callable> state = state_of<Callable>(decayed);
        pickle::detail::Writer writer(packed, {});
        writer.begin_tuple(1 + sizeof...(Args));
        pickle::detail::CodecOf<StateOf<Callable>>::save(writer, state);
        (pickle::detail::CodecOf<ArgumentOf<Args>>::save(writer, args), ...);
        writer.end_tuple(1 + sizeof...(Args));
        writer.finish();
        return packed;
    }
}

/// Makes a packed call and gives the pickle of its result. Throws `std::runtime_error` for bytes
/// that are no packed call, and for one of a module that this process does not have; otherwise what
/// the call throws.
WEFT_API weft::bytes run_packed(pickle::BytesView packed);

}  // namespace weft::detail
