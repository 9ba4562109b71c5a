#pragma once

#include <stop_token>
#include <string>

#include <weft/_dummy_thread.hpp>
#include <weft/detail/config.hpp>
#include <weft/timeout.hpp>

namespace weft::dummy_threading {

/// As threading::Event, among no threads: what is not set when a wait begins is not set by then.
class Event {
public:
    constexpr Event() noexcept = default;
    Event(const Event&) = delete;
    Event& operator=(const Event&) = delete;

    [[nodiscard]] bool is_set() const noexcept { return is_set_; }
    [[deprecated("use is_set()")]] [[nodiscard]] bool isSet() const noexcept { return is_set(); }
    void set() noexcept { is_set_ = true; }
    void clear() noexcept { is_set_ = false; }

    /// Returns true at once when it is set, else false after `timeout`. Throws
    /// `std::runtime_error` when it would wait for ever.
    bool wait(Timeout timeout = {}) {
        if (!is_set_) weft::detail::wait_alone("Event.wait", timeout);
        return is_set_;
    }
    /// The same; throws weft::Cancelled when `stop` is triggered first.
    bool wait(const std::stop_token& stop, Timeout timeout = {}) {
        if (!is_set_) weft::detail::wait_alone("Event.wait", timeout, &stop);
        return is_set_;
    }

    /// Python's text form, with `set` or `unset`.
    [[nodiscard]] WEFT_API std::string repr() const;

private:
    bool is_set_ = false;
};

}  // namespace weft::dummy_threading
