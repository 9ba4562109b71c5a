#pragma once

#include <concepts>
#include <cstdint>
#include <functional>
#include <type_traits>
#include <utility>

#include <weft/detail/atomic.hpp>
#include <weft/detail/config.hpp>
#include <weft/detail/low_lock.hpp>

namespace weft::detail {

/// A function that a program may replace: `threading::excepthook`, `weft::unraisablehook`.
///
/// Copying takes a snapshot of what is set, assigning replaces it for everybody, and calling calls
/// it. All three may be done by any threads at once; a call that began before an assignment still
/// runs the older function, which lives until that call has returned. An empty function means the
/// original. A fork in the middle of an assignment leaves one of the two.
template <class Args>
class Hook {
public:
    using Function = std::function<void(const Args&)>;

    /// A hook whose original is `original`.
    explicit constexpr Hook(void (*original)(const Args&)) noexcept : original_(original) {}
    Hook(const Hook& other) : original_(other.original_), box_(other.share()) {}
    Hook& operator=(const Hook& other) {
        if (this != &other) release(replace(other.share()));
        return *this;
    }
    ~Hook() { release(box_.load(std::memory_order_relaxed)); }

    /// Throws what making a `std::function` of the callable throws; then nothing has changed.
    template <class Callable>
        requires(!std::derived_from<std::remove_cvref_t<Callable>, Hook> &&
                 std::constructible_from<Function, Callable>)
    Hook& operator=(Callable&& callable) {
        exchange(Function(std::forward<Callable>(callable)));
        return *this;
    }

    /// The same, and returns what was set before.
    Hook exchange(Function function) {
        Box* const box = function ? new Box{std::move(function)} : nullptr;
        return Hook(original_, replace(box));
    }

    /// Calls what is set, and throws what it throws.
    void operator()(const Args& args) const {
        const Share current(*this);
        if (current.box != nullptr) {
            current.box->function(args);
        } else {
            original_(args);
        }
    }

    /// True when nothing but the original is set.
    [[nodiscard]] bool is_original() const noexcept { return Share(*this).box == nullptr; }

private:
    struct Box {
        Function function;
        Atomic<std::uint32_t> owners{1};
    };

    /// Keeps the function alive over a call.
    struct Share {
        explicit Share(const Hook& hook) noexcept : box(hook.share()) {}
        ~Share() { release(box); }
        Share(const Share&) = delete;
        Share& operator=(const Share&) = delete;
        Box* box;
    };

    Hook(void (*original)(const Args&), Box* box) noexcept : original_(original), box_(box) {}

    Box* share() const noexcept {
        lock_.lock();
        Box* const box = box_.load(std::memory_order_relaxed);
        if (box != nullptr) box->owners.fetch_add(1, std::memory_order_relaxed);
        lock_.unlock();
        return box;
    }
    [[nodiscard]] Box* replace(Box* box) noexcept {
        lock_.lock();
        Box* const old = box_.exchange(box, std::memory_order_relaxed);
        lock_.unlock();
        return old;
    }
    static void release(Box* box) noexcept {
        // The last owner has seen everything that the others did with the function.
        if (box != nullptr && box->owners.fetch_sub(1, std::memory_order_acq_rel) == 1) delete box;
    }

    void (*original_)(const Args&);
    mutable LowLock lock_;       ///< guards box_, so that it is not freed between look and count
    Atomic<Box*> box_{nullptr};  ///< null: the original
};

/// An object that is never destroyed, so that it can be used to the very end of the process.
template <class T>
union NeverDestroyed {
    template <class... Args>
    explicit constexpr NeverDestroyed(Args&&... args) : value(std::forward<Args>(args)...) {}
    ~NeverDestroyed() {}
    NeverDestroyed(const NeverDestroyed&) = delete;
    NeverDestroyed& operator=(const NeverDestroyed&) = delete;

    T value;
};

}  // namespace weft::detail
