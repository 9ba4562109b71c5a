#pragma once

namespace weft::detail {

/// While it lives, this thread resumes no coroutine whose wait it ends: those come at the end of
/// the scope, in order. Around notifications of several waiters, of which one, resumed, might
/// destroy another that has not been notified yet.
class WakesTogether {
public:
    WakesTogether() noexcept;
    ~WakesTogether();
    WakesTogether(const WakesTogether&) = delete;
    WakesTogether& operator=(const WakesTogether&) = delete;

private:
    bool is_outermost_;
};

}  // namespace weft::detail
