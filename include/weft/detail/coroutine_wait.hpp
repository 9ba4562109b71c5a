#pragma once

#include <coroutine>
#include <cstdint>
#include <exception>
#include <optional>
#include <stop_token>

#include <weft/detail/config.hpp>
#include <weft/detail/wait_list.hpp>
#include <weft/resume_on.hpp>

namespace weft::detail {

/// One wait of a coroutine: a waiter that stands in a WaitList like a thread's, and whose
/// notification resumes the coroutine. Lives in the coroutine, from the co_await on.
/// docs/decisions/0018-coroutines-that-wait.md has its states and their races.
///
/// A class derived from this says what is waited for. Its await_ready() tries to get it, its
/// await_resume() calls conclude(), and its destructor hands on what abandon() says is left.
class WEFT_API CoroutineWait : public Waiter {
public:
    CoroutineWait(const CoroutineWait&) = delete;
    CoroutineWait& operator=(const CoroutineWait&) = delete;

    /// False when what is waited for came meanwhile.
    bool await_suspend(std::coroutine_handle<> coroutine) noexcept { return !start(coroutine); }

protected:
    /// `list` is where take_or_list() enters the waiter. A `stop` that can be triggered ends the
    /// wait.
    CoroutineWait(WaitList& list, std::stop_token stop, ResumeOn resume_on) noexcept;
    ~CoroutineWait() = default;

    /// Gets what is waited for and returns true, or enters the waiter into the list and returns
    /// false. What it throws is thrown by conclude(). Runs on any thread, with no lock held.
    virtual bool take_or_list(bool is_first) = 0;
    /// What a notification means to a waiter: true when what was waited for has come with it, or
    /// could be got now. Otherwise it goes back to the list.
    virtual bool take_when_notified() = 0;
    /// The wait has ended: whether the coroutine can go on, which it does not as long as another
    /// wait of the same co_await has to end first.
    virtual bool may_go_on() noexcept { return true; }

    /// The whole of await_suspend(): returns true when the wait is over, and false when the
    /// coroutine will be resumed; this may then be gone.
    bool start(std::coroutine_handle<> coroutine) noexcept;
    /// For await_resume(): how the wait ended, `notified` or `cancelled`. Throws what
    /// take_or_list() and take_when_notified() threw.
    WaitEnd conclude();
    /// For the destructor: true when the coroutine is destroyed before it could go on, and has got,
    /// or was about to get, what others may be waiting for. Waits for a notifier under way.
    [[nodiscard]] bool abandon() noexcept;

    [[nodiscard]] WaitList& list() const noexcept { return list_; }
    [[nodiscard]] const ResumeOn& resume_on() const noexcept { return resume_on_; }
    [[nodiscard]] std::coroutine_handle<> coroutine() const noexcept { return coroutine_; }

private:
    friend class Waiter;
    friend class WakesTogether;
    class Line;

    /// Where the wait is. Written by whoever has the waiter: the coroutine, then the notifier.
    enum class Stage : std::uint8_t {
        not_waiting,  ///< before the co_await is suspended, and after it has gone on
        waiting,      ///< the coroutine is suspended, or about to be
        ended,        ///< the coroutine is to go on, but has not yet
    };
    struct Cancel {
        CoroutineWait* wait;
        void operator()() const noexcept { wait->cancel(); }
    };

    static constinit thread_local Line line_of_this_thread;

    void wake() noexcept;
    bool advance() noexcept;
    bool settle() noexcept;
    void go_on() noexcept;
    void cancel() noexcept;

    WaitList& list_;
    const std::stop_token stop_;
    const ResumeOn resume_on_;
    std::coroutine_handle<> coroutine_;
    std::exception_ptr failure_;
    WaitEnd end_ = WaitEnd::notified;
    Stage stage_ = Stage::not_waiting;
    bool is_first_ = true;
    Line* line_ = nullptr;  ///< of the thread that has ended the wait, until its turn comes
    CoroutineWait* previous_in_line_ = nullptr;
    CoroutineWait* next_in_line_ = nullptr;
    std::optional<std::stop_callback<Cancel>> on_stop_;
};

}  // namespace weft::detail
