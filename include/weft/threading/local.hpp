#pragma once

#include <concepts>
#include <functional>
#include <tuple>
#include <type_traits>
#include <utility>

#include <weft/detail/local_slot.hpp>

namespace weft::detail {

template <class T>
void destroy_local_value(void* value) noexcept {
    delete static_cast<T*>(value);
}

/// What `make` returns, made into a T.
template <class T, class Make>
struct BoundLocalMaker final : LocalMaker {
    template <class Given>
    explicit BoundLocalMaker(std::in_place_t, Given&& given)
        : LocalMaker{
              .construct = [](const LocalMaker& self) -> void* {
                  return static_cast<const BoundLocalMaker&>(self).make();
              },
              .destroy_value = destroy_local_value<T>,
              .destroy_self =
                  [](LocalMaker* self) noexcept { delete static_cast<BoundLocalMaker*>(self); }},
          make(std::forward<Given>(given)) {}

    Make make;
};

/// Something to call for each value. What T could also be made from directly, as a bool from any
/// function and a `std::any` from anything, is one only if what it returns is a T by itself.
template <class Factory, class T>
concept local_factory = std::invocable<const Factory&> && !std::same_as<Factory, T> &&
                        requires(const Factory& factory) { new T(std::invoke(factory)); } &&
                        (!std::constructible_from<T, const Factory&> ||
                         std::convertible_to<std::invoke_result_t<const Factory&>, T>);

/// What T's constructor takes, but for a single factory.
template <class T, class... Args>
concept local_arguments = sizeof...(Args) > 0 && std::constructible_from<T, const Args&...> &&
                          !(sizeof...(Args) == 1 && (local_factory<Args, T> && ...));

}  // namespace weft::detail

namespace weft::threading {

/// A variable that has a value of its own in each thread: Python's `threading.local`, whose
/// attributes are the members of T.
///
///     threading::local<Session> session;         // Session() in each thread
///     threading::local<Session> session("db1");  // Session("db1") in each thread
///     threading::local<Session> session([] { return Session(next_host()); });
///     session->open(path);
///
/// A thread's value is made when the thread touches the object for the first time, and destroyed
/// when the thread ends (after its `thread_local` objects, and before a join() returns) or when the
/// object dies, whichever is first. Any kind of thread may use it; the main thread's value lives
/// until the object dies or the program ends. A static object that dies when the program ends
/// destroys the value of the thread that ends the program; other threads keep theirs, which are
/// never destroyed. (A function's static object that is built after the first values were made and
/// the first threads started may destroy the others' values too, when any thread but the main one
/// calls exit(): let that be a namespace's.)
///
/// get(), `*` and `->` may be called by any threads at once; each has its own value, which needs no
/// lock. Once a thread has its value they cost about what a `thread_local` costs. The object may be
/// static: without arguments it is ready before any constructor has run, and it works in the
/// destructors of static and `thread_local` objects, also of such that are destroyed after it.
/// (There, a value that was destroyed is made anew.)
///
/// The destructor destroys the values of all threads, on the calling thread; it blocks while
/// another thread, at its end, is in the destructor of one. Nobody may use the object meanwhile but
/// those destructors themselves. A value that its own destructor makes again is destroyed again,
/// four times at most.
///
/// After fork, the thread that forked has its values; those of the parent's other threads are not
/// destroyed in the child. Not for signal handlers, unless the thread has its value already.
///
/// Unlike Python, the values are of one type, and there is no mapping of attributes.
template <class T>
class local {
public:
    /// Values made by `T()`: numbers begin at zero.
    constexpr local() noexcept
        requires std::default_initializable<T>
    = default;

    /// Values made from copies of the arguments, which are given once and used as constants for
    /// every thread: `std::ref(x)` gives all of them a reference. Throws what the copies throw, and
    /// `std::bad_alloc`.
    template <class... Args>
        requires weft::detail::local_arguments<T, std::decay_t<Args>...>
    explicit local(Args&&... args)
        : local(std::in_place, [... args = std::decay_t<Args>(std::forward<Args>(args))] {
              return new T(args...);
          }) {}

    /// Values made by calling a copy of `factory`, which several threads may do at once. An
    /// argument that can be called without arguments, and returns what becomes a T by itself, is
    /// one.
    template <class Factory>
        requires weft::detail::local_factory<std::decay_t<Factory>, T>
    explicit local(Factory&& factory)
        : local(std::in_place, [factory = std::decay_t<Factory>(std::forward<Factory>(factory))] {
              return new T(std::invoke(factory));
          }) {}

    local(const local&) = delete;
    local& operator=(const local&) = delete;
    ~local() { slot_.destroy(own_maker_); }

    /// The calling thread's value; makes it at the first touch. Throws what making it throws (the
    /// next touch tries again), `std::bad_alloc`, `std::system_error` when the system cannot watch
    /// for the thread's end, and `std::runtime_error` when it is called by the constructor of that
    /// very value.
    [[nodiscard]] T& get() const {
        void* value = slot_.find();
        if (value == nullptr) [[unlikely]] {
            value = own_maker_ != nullptr ? slot_.make(*own_maker_) : make_default();
        }
        return *static_cast<T*>(value);
    }
    [[nodiscard]] T& operator*() const { return get(); }
    [[nodiscard]] T* operator->() const { return &get(); }

private:
    template <class Make>
    local(std::in_place_t, Make&& make)
        : own_maker_(new weft::detail::BoundLocalMaker<T, std::decay_t<Make>>(
              std::in_place, std::forward<Make>(make))) {}

    /// Only called when the constructor without arguments was used. What makes the value is on the
    /// stack and not a constant: compilers give such constants of templates one address in the
    /// whole process, and for that keep every plugin loaded that has one.
    [[nodiscard]] void* make_default() const {
        if constexpr (std::default_initializable<T>) {
            const weft::detail::LocalMaker maker{
                .construct = [](const weft::detail::LocalMaker&) -> void* { return new T(); },
                .destroy_value = weft::detail::destroy_local_value<T>};
            return slot_.make(maker);
        } else {
            return nullptr;
        }
    }

    mutable weft::detail::LocalSlot slot_;
    weft::detail::LocalMaker* own_maker_ = nullptr;  ///< null: T's default
};

}  // namespace weft::threading
