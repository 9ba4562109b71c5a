#pragma once

#include <concepts>
#include <functional>
#include <memory>
#include <stop_token>
#include <tuple>
#include <type_traits>
#include <typeinfo>
#include <utility>

#include <weft/detail/config.hpp>

namespace weft::detail {

/// What a target is, for messages: a function's code, or the type of an object.
struct TargetName {
    const void* code = nullptr;
    const std::type_info* type = nullptr;
};

/// What a thread runs: a target with its arguments, or an object with a run() of its own.
class ThreadBody {
public:
    ThreadBody() = default;
    virtual ~ThreadBody() = default;
    ThreadBody(const ThreadBody&) = delete;
    ThreadBody& operator=(const ThreadBody&) = delete;

    virtual void run(const std::stop_token& stop) = 0;
    /// Whether run() passes the stop token on, so that a request can end it.
    [[nodiscard]] virtual bool takes_stop_token() const noexcept { return false; }
    /// The class of an object with a run() of its own; null for a target.
    [[nodiscard]] virtual const std::type_info* type() const noexcept { return nullptr; }
    /// Who the target is; nothing for an object with a run() of its own.
    [[nodiscard]] virtual TargetName target_name() const noexcept { return {}; }
};

/// Runs an object with a run() of its own.
template <class T>
class RunnableBody final : public ThreadBody {
public:
    template <class... Args>
    explicit RunnableBody(std::in_place_t, Args&&... args)
        : runnable(std::forward<Args>(args)...) {}
    void run(const std::stop_token&) override { runnable.run(); }
#ifdef __cpp_rtti
    [[nodiscard]] const std::type_info* type() const noexcept override { return &typeid(T); }
#endif
    T runnable;
};

/// A target that can be called with its arguments, or with a stop token before them. The first form
/// is tried first: asking the second of `[](auto... all)` would instantiate its body.
template <class Target, class... Args>
concept thread_target =
    std::invocable<std::decay_t<Target>, std::decay_t<Args>...> ||
    std::invocable<std::decay_t<Target>, std::stop_token, std::decay_t<Args>...>;

/// Copies of a target and of its arguments, called once, as rvalues.
template <class Target, class... Args>
class BoundBody final : public ThreadBody {
public:
    template <class GivenTarget, class... GivenArgs>
    explicit BoundBody(GivenTarget&& target, GivenArgs&&... args)
        : target_(std::forward<GivenTarget>(target)), args_(std::forward<GivenArgs>(args)...) {}

    void run(const std::stop_token& stop) override {
        std::apply(
            [&](Args&... args) {
                if constexpr (kIsPlain) {
                    std::invoke(std::move(target_), std::move(args)...);
                } else {
                    std::invoke(std::move(target_), stop, std::move(args)...);
                }
            },
            args_);
    }
    [[nodiscard]] bool takes_stop_token() const noexcept override { return !kIsPlain; }
    [[nodiscard]] TargetName target_name() const noexcept override {
        TargetName name;
        if constexpr (std::is_pointer_v<Target>) name.code = reinterpret_cast<const void*>(target_);
#ifdef __cpp_rtti
        name.type = &typeid(Target);
#endif
        return name;
    }

private:
    static constexpr bool kIsPlain = std::invocable<Target, Args...>;

    Target target_;
    std::tuple<Args...> args_;
};

template <class Target, class... Args>
std::unique_ptr<ThreadBody> bind_body(Target&& target, Args&&... args) {
    return std::make_unique<BoundBody<std::decay_t<Target>, std::decay_t<Args>...>>(
        std::forward<Target>(target), std::forward<Args>(args)...);
}

}  // namespace weft::detail
