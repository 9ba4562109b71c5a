#include <weft/detail/coroutine_wait.hpp>

#include <cassert>
#include <utility>

#include "detail/wakes_together.hpp"

// Who has the waiter:
//
//   the coroutine, in await_suspend(), until suspend() has succeeded;
//   then whoever takes it off its list (a notifier, or the stop callback) and finds kSuspended in
//   its word: that thread puts it into its line, and when its turn comes ends the wait, or lists
//   the waiter again and lets go of it in suspend(); then the coroutine, once it is resumed, or
//   whoever destroys it.
//
// A notifier that comes before suspend() leaves kNotified, finds no kSuspended and does nothing
// more; suspend() then fails, and the coroutine goes on without having been suspended.

namespace weft::detail {

/// Coroutines whose waits one thread has ended, in order. One that ends others' waits does not run
/// below them: they come after it, so that a chain of them needs no stack. One that destroys
/// another takes it out.
class CoroutineWait::Line {
public:
    bool is_under_way = false;

    void add(CoroutineWait& wait) noexcept {
        wait.line_ = this;
        wait.previous_in_line_ = last_;
        wait.next_in_line_ = nullptr;
        (last_ != nullptr ? last_->next_in_line_ : first_) = &wait;
        last_ = &wait;
    }
    void remove(CoroutineWait& wait) noexcept {
        auto*& before =
            wait.previous_in_line_ != nullptr ? wait.previous_in_line_->next_in_line_ : first_;
        before = wait.next_in_line_;
        auto*& after =
            wait.next_in_line_ != nullptr ? wait.next_in_line_->previous_in_line_ : last_;
        after = wait.previous_in_line_;
        wait.line_ = nullptr;
    }
    void run() noexcept {
        is_under_way = true;
        while (CoroutineWait* const wait = first_) {
            remove(*wait);
            wait->go_on();
        }
        is_under_way = false;
    }

private:
    CoroutineWait* first_ = nullptr;
    CoroutineWait* last_ = nullptr;
};

constinit thread_local CoroutineWait::Line CoroutineWait::line_of_this_thread;

WakesTogether::WakesTogether() noexcept
    : is_outermost_(!std::exchange(CoroutineWait::line_of_this_thread.is_under_way, true)) {}

WakesTogether::~WakesTogether() {
    if (is_outermost_) CoroutineWait::line_of_this_thread.run();
}

CoroutineWait::CoroutineWait(WaitList& list, std::stop_token stop, ResumeOn resume_on) noexcept
    : list_(list), stop_(std::move(stop)), resume_on_(resume_on) {}

bool CoroutineWait::start(std::coroutine_handle<> coroutine) noexcept {
    coroutine_ = coroutine;
    return advance() && may_go_on();
}

/// True when the wait is over; false when the waiter is somebody else's from now on.
bool CoroutineWait::advance() noexcept {
    do {
        restart();
        stage_ = Stage::waiting;
        end_ = WaitEnd::notified;
        try {
            if (take_or_list(std::exchange(is_first_, false))) {
                // Whatever a request to stop has said meanwhile.
                end_ = WaitEnd::notified;
                break;
            }
        } catch (...) {
            failure_ = std::current_exception();
            break;
        }
        // On the list first: a request that came before finds it there, or is found here.
        if (stop_.stop_possible()) {
            if (!on_stop_) {
                on_stop_.emplace(stop_, Cancel{this});
            } else if (stop_.stop_requested()) {
                cancel();
            }
        }
        if (suspend()) return false;
    } while (!settle());
    stage_ = Stage::ended;
    return true;
}

/// What a notification led to: true when the wait is over.
bool CoroutineWait::settle() noexcept {
    if (end_ == WaitEnd::cancelled) return true;
    try {
        return take_when_notified();
    } catch (...) {
        failure_ = std::current_exception();
        return true;
    }
}

void CoroutineWait::cancel() noexcept {
    // Whoever takes the waiter off the list ends the wait.
    if (!WaitList::Locked(list_).take(*this)) return;
    end_ = WaitEnd::cancelled;
    notify();
}

void CoroutineWait::wake() noexcept {
    line_of_this_thread.add(*this);
    if (!line_of_this_thread.is_under_way) line_of_this_thread.run();
}

/// What the notifier does on behalf of the coroutine.
void CoroutineWait::go_on() noexcept {
    if (!settle() && !advance()) return;
    stage_ = Stage::ended;
    if (!may_go_on()) return;
    // This may be gone before the call has returned.
    const ResumeOn resume_on = resume_on_;
    resume_on(coroutine_);
}

WaitEnd CoroutineWait::conclude() {
    stage_ = Stage::not_waiting;
    // Waits for a callback under way, unless it is what resumed this.
    on_stop_.reset();
    if (failure_ != nullptr) std::rethrow_exception(std::exchange(failure_, nullptr));
    return end_;
}

bool CoroutineWait::abandon() noexcept {
    switch (std::exchange(stage_, Stage::not_waiting)) {
        case Stage::not_waiting:
            return false;
        case Stage::waiting: {
            on_stop_.reset();
            if (line_ == &line_of_this_thread) {
                // Destroyed by a coroutine that goes on before it.
                line_of_this_thread.remove(*this);
                return end_ == WaitEnd::notified;
            }
            [[maybe_unused]] const bool is_mine = withdraw();
            assert(is_mine && "a coroutine was destroyed while it was being resumed");
            // A notifier that has taken the waiter off does nothing more than to say so.
            return !list_.remove(*this);
        }
        case Stage::ended:
            break;
    }
    on_stop_.reset();
    return end_ == WaitEnd::notified && failure_ == nullptr;
}

}  // namespace weft::detail
