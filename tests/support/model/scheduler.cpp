#include "model/scheduler.hpp"

#include <algorithm>
#include <cstdlib>
#include <exception>
#include <limits>
#include <ranges>

#include "model/warm_up.hpp"

namespace weft::model {

namespace {

// Where every execution's clock starts, far from zero and from overflow.
constexpr std::int64_t kStartOfTime = 1'000'000'000'000;
constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();
// More steps than any program that ends takes.
constexpr std::uint64_t kMaxSteps = 100'000;
// A thread may give its turn away for nothing so many times, which is more than any bounded spin of
// the engines; after that it really waits for another thread to do something.
constexpr int kFreeYields = 40;

void wait_for(sem_t& semaphore) {
    while (sem_wait(&semaphore) != 0) {
    }
}

}  // namespace

thread_local Scheduler::Task* Scheduler::current_ = nullptr;

Scheduler& Scheduler::instance() {
    // Never destroyed: its threads wait for work until the process ends.
    static Scheduler* const only = [] {
        auto* const scheduler = new Scheduler;
        sem_init(&scheduler->is_ready_, 0, 0);
        sem_init(&scheduler->all_ended_, 0, 0);
        return scheduler;
    }();
    return *only;
}

Scheduler::Task& Scheduler::task(int number) {
    while (tasks_.size() <= static_cast<std::size_t>(number)) {
        Task& added = tasks_.emplace_back();
        added.number = static_cast<int>(tasks_.size()) - 1;
        sem_init(&added.turn, 0, 0);
        std::thread(&Scheduler::work, std::ref(*this), std::ref(added)).detach();
        wait_for(is_ready_);
    }
    return tasks_[static_cast<std::size_t>(number)];
}

void Scheduler::work(Scheduler& scheduler, Task& mine) {
    // What a thread of Weft does once in its life must not happen in the first execution only, and
    // not in two threads at the same time.
    warm_up();
    current_ = &mine;
    sem_post(&scheduler.is_ready_);
    for (;;) {
        wait_for(mine.turn);
        try {
            (*mine.body)();
        } catch (const std::exception& error) {
            scheduler.fail(std::string("an exception left a thread: ") + error.what());
        }
        // Others may see the thread's last operations before its stores.
        if (!mine.stores.empty()) scheduler.point("end", nullptr, true);
        mine.state = State::ended;
        mine.operation = "end";
        scheduler.hand_on(mine);
    }
}

void Scheduler::run(std::span<const std::function<void()>> bodies, const Bounds& bounds,
                    Chooser& chooser) {
    bounds_ = bounds;
    chooser_ = &chooser;
    running_ = bodies.size();
    steps_ = 0;
    preemptions_ = spurious_ = weak_failures_ = delayed_stores_ = 0;
    clock_ = kStartOfTime;
    for (std::size_t i = 0; i < running_; ++i) {
        Task& each = task(static_cast<int>(i));
        each.state = State::ready;
        each.yields = 0;
        each.body = &bodies[i];
        each.operation = "start";
    }
    // The first decision is as if a thread had just ended.
    Task start;
    start.number = -1;
    hand_on(start);
    wait_for(all_ended_);
}

void Scheduler::list_actions(const Task& from) {
    actions_.clear();
    const bool can_go_on = from.state == State::ready;
    if (can_go_on) {
        actions_.push_back({Action::Kind::run, from.number});
        if (preemptions_ >= bounds_.preemptions) return;
    }
    for (std::size_t i = 0; i < running_; ++i) {
        const Task& each = tasks_[i];
        if (each.state == State::ready && each.number != from.number) {
            actions_.push_back({Action::Kind::run, each.number});
        }
    }
    for (std::size_t i = 0; i < running_; ++i) {
        const Task& each = tasks_[i];
        if (each.state != State::asleep) continue;
        if (each.deadline != kNever) actions_.push_back({Action::Kind::time_out, each.number});
        if (spurious_ < bounds_.spurious) {
            actions_.push_back({Action::Kind::wake_spuriously, each.number});
        }
    }
}

bool Scheduler::have_all_ended() const {
    return std::ranges::all_of(std::views::take(tasks_, static_cast<std::ptrdiff_t>(running_)),
                               [](const Task& each) { return each.state == State::ended; });
}

void Scheduler::hand_on(Task& from) {
    if (++steps_ > kMaxSteps) fail("the program does not end");
    const bool could_go_on = from.state == State::ready;
    list_actions(from);
    const auto is_spurious = [](const Action& each) {
        return each.kind == Action::Kind::wake_spuriously;
    };
    // A spurious return must not be what a program lives on.
    if (std::ranges::all_of(actions_, is_spurious)) {
        if (have_all_ended()) {
            sem_post(&all_ended_);
            return;
        }
        fail("nobody can run: " + describe());
    }
    const std::size_t chosen = actions_.size() == 1 ? 0 : chooser_->pick(actions_);
    const Action action = actions_[chosen];
    Task& next = tasks_[static_cast<std::size_t>(action.task)];
    if (could_go_on && next.number != from.number) ++preemptions_;
    if (action.kind == Action::Kind::time_out) clock_ = std::max(clock_, next.deadline);
    if (action.kind == Action::Kind::wake_spuriously) ++spurious_;
    next.state = State::ready;
    if (next.number == from.number) return;
    // Whoever gave its turn away may have it back as soon as another thread has gone on.
    for (std::size_t i = 0; i < running_; ++i) {
        if (tasks_[i].state == State::yielding) tasks_[i].state = State::ready;
    }
    from.yields = 0;
    const bool is_over = from.number < 0 || from.state == State::ended;
    sem_post(&next.turn);
    if (!is_over) wait_for(from.turn);
}

bool Scheduler::is_modelled() const {
    return current_ != nullptr;
}

void Scheduler::point(const char* operation, const void* object, bool drains) {
    Task* const mine = current_;
    if (mine == nullptr) {
        if (on_free_operation) on_free_operation();
        return;
    }
    mine->operation = operation;
    hand_on(*mine);
    if (drains) {
        drain(*mine, mine->stores.size());
    } else if (!mine->stores.empty() && chooser_->flip()) {
        drain(*mine, 1);
    }
    if (on_operation) on_operation(mine->number, operation, object);
}

// Failures and delays -----------------------------------------------------------------------------

bool Scheduler::fails_weakly() {
    if (current_ == nullptr || weak_failures_ >= bounds_.weak_failures) return false;
    if (!chooser_->flip()) return false;
    ++weak_failures_;
    return true;
}

bool Scheduler::delays_store() {
    if (current_ == nullptr) return false;
    // Stores leave the buffer in the order in which they entered it.
    if (!current_->stores.empty()) return true;
    if (delayed_stores_ >= bounds_.delayed_stores || !chooser_->flip()) return false;
    ++delayed_stores_;
    return true;
}

void Scheduler::delay(const DelayedStore& store) {
    current_->stores.push_back(store);
}

const void* Scheduler::find_delayed(const void* object) const {
    if (current_ == nullptr) return nullptr;
    const auto& stores = current_->stores;
    const auto found = std::find_if(stores.rbegin(), stores.rend(),
                                    [object](const auto& store) { return store.object == object; });
    return found == stores.rend() ? nullptr : found->value;
}

void Scheduler::forget_delayed(const void* object) {
    if (current_ == nullptr) return;
    std::erase_if(current_->stores, [object](const auto& store) { return store.object == object; });
    for (std::size_t i = 0; i < running_; ++i) {
        for (const DelayedStore& store : tasks_[i].stores) {
            if (store.object == object) fail("an object is destroyed before a store to it arrives");
        }
    }
}

void Scheduler::drain(Task& mine, std::size_t count) {
    for (; count > 0; --count) {
        const DelayedStore store = mine.stores.front();
        mine.stores.pop_front();
        store.apply(store.object, store.value);
    }
}

// Waiting -----------------------------------------------------------------------------------------

void Scheduler::futex_wait(const void* address, const std::function<bool()>& is_as_expected,
                           std::int64_t deadline) {
    Task* const mine = current_;
    if (mine == nullptr) fail("a thread that the model does not run was about to sleep");
    point("futex_wait", address, true);
    if (!is_as_expected() || deadline <= clock_) return;
    mine->state = State::asleep;
    mine->sleeps_on = address;
    mine->deadline = deadline;
    mine->asleep_since = steps_;
    mine->operation = "sleep";
    hand_on(*mine);
}

int Scheduler::futex_wake(const void* address, int most) {
    point("futex_wake", address, true);
    int woken = 0;
    for (; woken < most; ++woken) {
        Task* first = nullptr;
        for (std::size_t i = 0; i < running_; ++i) {
            Task& each = tasks_[i];
            const bool matches = each.state == State::asleep && each.sleeps_on == address;
            if (matches && (first == nullptr || each.asleep_since < first->asleep_since)) {
                first = &each;
            }
        }
        if (first == nullptr) break;
        first->state = State::ready;
    }
    return woken;
}

void Scheduler::yield() {
    Task* const mine = current_;
    if (mine == nullptr || ++mine->yields <= kFreeYields) return;
    mine->operation = "yield";
    mine->state = State::yielding;
    drain(*mine, mine->stores.size());
    hand_on(*mine);
}

std::int64_t Scheduler::look_at_clock() {
    clock_ += bounds_.nanoseconds_per_look;
    return clock_;
}

// Failing -----------------------------------------------------------------------------------------

std::string Scheduler::describe() const {
    std::string text;
    for (std::size_t i = 0; i < running_; ++i) {
        const Task& each = tasks_[i];
        if (!text.empty()) text += ", ";
        text += "thread " + std::to_string(each.number) + " is at " + each.operation;
    }
    return text;
}

void Scheduler::fail(const std::string& reason) {
    on_failure(reason);
    std::abort();
}

}  // namespace weft::model
