#include <weft/concurrent/futures/task_group.hpp>

#include <new>
#include <utility>
#include <vector>

#include <weft/concurrent/futures/errors.hpp>
#include <weft/threading/lock.hpp>
#include <weft/unraisable.hpp>

// A member is a listener on the list of its future, and in the group's list, from add() until the
// future has ended; the listener's call takes it off both. It holds a share of the group, so the
// group's memory outlives every call, and a share of the future, so that the group can stop it.
//
// Nothing of users' is called with the lock held: futures are cancelled, which may run callbacks,
// from a copy of the list.

namespace weft::detail {

namespace futures = concurrent::futures;

class TaskGroupState {
public:
    struct Member final : FutureListener {
        std::shared_ptr<TaskGroupState> group;
        FutureState* future = nullptr;
        Member* previous = nullptr;
        Member* next = nullptr;
    };

    void link(Member& member) {
        threading::Guard held(lock_);
        member.next = nullptr;
        member.previous = last_;
        if (last_ != nullptr) last_->next = &member;
        last_ = &member;
        ++size_;
    }
    /// Returns true for the first failure.
    bool unlink(Member& member, std::exception_ptr error) {
        bool is_first_failure = false;
        {
            threading::Guard held(lock_);
            if (member.next != nullptr) member.next->previous = member.previous;
            if (member.previous != nullptr) member.previous->next = member.next;
            if (last_ == &member) last_ = member.previous;
            --size_;
            if (error != nullptr && !has_failed_) {
                has_failed_ = true;
                is_first_failure = true;
                error_ = std::move(error);
            }
        }
        changes_.notify_all();
        return is_first_failure;
    }

    void stop() noexcept {
        std::vector<FutureState*> running;
        {
            threading::Guard held(lock_);
            is_stopped_ = true;
            try {
                running.reserve(size_);
            } catch (const std::bad_alloc&) {
                // Without memory nothing is stopped, and all is waited for.
                return;
            }
            for (Member* each = last_; each != nullptr; each = each->previous) {
                each->future->add_handle();
                running.push_back(each->future);
            }
        }
        for (FutureState* const each : running) {
            if (!each->cancel()) each->request_stop();
            each->drop_handle();
        }
    }

    /// A share of the youngest call, null for none.
    FutureState* youngest() {
        threading::Guard held(lock_);
        if (last_ == nullptr) return nullptr;
        last_->future->add_handle();
        return last_->future;
    }
    std::exception_ptr take_error() {
        threading::Guard held(lock_);
        return std::exchange(error_, nullptr);
    }
    bool is_stopped() {
        threading::Guard held(lock_);
        return is_stopped_;
    }
    std::size_t size() {
        threading::Guard held(lock_);
        return size_;
    }

    void wait_for_all(const WaitLimits& limits) {
        // The youngest first: a worker that waits runs it itself, if it is still in its own deque.
        while (FutureState* const call = youngest()) {
            struct Share {
                FutureState& future;
                ~Share() { future.drop_handle(); }
            } const share{*call};
            if (!call->is_done()) call->wait_until_done(limits);
            // Its listener is on the way.
            auto has_left = [this, call] { return !is_youngest(*call); };
            const WaitEnd end = changes_.wait(has_left, limits);
            if (end == WaitEnd::timed_out)
                throw futures::TimeoutError("the group was not done in time");
            throw_if_stopped(end);
        }
    }

private:
    bool is_youngest(const FutureState& call) {
        threading::Guard held(lock_);
        return last_ != nullptr && last_->future == &call;
    }

    threading::Lock lock_;
    Member* last_ WEFT_GUARDED_BY(lock_) = nullptr;
    std::size_t size_ WEFT_GUARDED_BY(lock_) = 0;
    bool has_failed_ WEFT_GUARDED_BY(lock_) = false;
    bool is_stopped_ WEFT_GUARDED_BY(lock_) = false;
    std::exception_ptr error_ WEFT_GUARDED_BY(lock_);
    WaitList changes_;
};

namespace {

void on_end(FutureListener& listener, FutureState* future) noexcept {
    const std::unique_ptr<TaskGroupState::Member> member(
        static_cast<TaskGroupState::Member*>(&listener));
    std::exception_ptr error;
    if (future != nullptr && future->has_failed()) {
        error = future->exception({.deadline = Deadline::after(Timeout(0))});
    }
    FutureState* const share = member->future;
    if (member->group->unlink(*member, std::move(error))) member->group->stop();
    share->drop_handle();
}

}  // namespace

std::shared_ptr<TaskGroupState> TaskGroupAccess::make() {
    return std::make_shared<TaskGroupState>();
}

void TaskGroupAccess::require_open(TaskGroupState& group) {
    if (group.is_stopped()) {
        throw futures::CancelledError(
            "submit: the task group was stopped, and takes no more calls");
    }
}

void TaskGroupAccess::add(const std::shared_ptr<TaskGroupState>& group, FutureState& call) {
    std::unique_ptr<TaskGroupState::Member> member;
    try {
        member = std::make_unique<TaskGroupState::Member>();
    } catch (...) {
        if (!call.cancel()) call.wait_until_done({});
        throw;
    }
    member->fire = &on_end;
    member->group = group;
    member->future = &call;
    call.add_handle();
    group->link(*member);
    TaskGroupState::Member& given = *member.release();
    if (!call.add(given)) on_end(given, &call);
    // Stopped since require_open(): this one is late.
    if (group->is_stopped() && !call.cancel()) call.request_stop();
}

void TaskGroupAccess::wait(TaskGroupState& group, const WaitLimits& limits) {
    group.wait_for_all(limits);
    if (const std::exception_ptr error = group.take_error()) std::rethrow_exception(error);
}

void TaskGroupAccess::stop(TaskGroupState& group) noexcept {
    group.stop();
}

void TaskGroupAccess::finish(TaskGroupState& group) noexcept {
    try {
        group.wait_for_all({.is_interruptible = false});
    } catch (...) {
        // A task that waits for itself by its group: the group is left to its calls.
        report_unraisable(
            {std::current_exception(), "Exception in the destructor of a TaskGroup", {}});
    }
    if (const std::exception_ptr error = group.take_error()) {
        report_unraisable({error, "Exception in a task group was never thrown", {}});
    }
}

std::size_t TaskGroupAccess::size(TaskGroupState& group) noexcept {
    return group.size();
}

}  // namespace weft::detail
