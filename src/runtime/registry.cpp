#include "runtime/registry.hpp"

#include <mutex>
#include <new>
#include <stdexcept>
#include <string>
#include <utility>

#include "os/exit_lock.hpp"
#include "os/posix/module.hpp"
#include "os/posix/thread.hpp"
#include "os/tasks.hpp"
#include "runtime/main_thread.hpp"
#include "runtime/this_thread.hpp"

namespace weft::runtime {

using detail::ThreadKind;
using detail::ThreadState;
using detail::ThreadStatus;

constinit Registry registry;

// Who is there
// -------------------------------------------------------------------------------------

ThreadPointer Registry::current() {
    if (ThreadState* const known = this_thread.state) {
        if (known->kind() == ThreadKind::raw) meet_raw(*known);
        const std::scoped_lock held(mutex_);
        return known->self_;
    }
    if (!is_main_thread()) return meet_dummy();
    prepare_thread();
    ThreadPointer found = main();
    found->record_identity();
    this_thread.state = found.get();
    return found;
}

ThreadPointer Registry::main() {
    ThreadPointer found = find_or_make_main();
    // Not known yet when another thread has loaded the library.
    if (found->ident() == 0 && is_main_thread()) found->record_identity();
    return found;
}

ThreadPointer Registry::self(ThreadState& thread) noexcept {
    const std::scoped_lock held(mutex_);
    return thread.self_;
}

ThreadPointer Registry::find_or_make_main() {
    {
        const std::scoped_lock held(mutex_);
        if (main_ != nullptr) return main_->self_;
    }
    auto fresh = std::make_shared<ThreadState>(ThreadKind::main, "MainThread", false, nullptr);
    fresh->ident_.store(main_ident_.load(std::memory_order_acquire), std::memory_order_release);
    fresh->native_id_.store(os::first_thread_id(), std::memory_order_release);
    fresh->status_.store(ThreadStatus::running, std::memory_order_seq_cst);
    fresh->is_exiting_.store(phase() != Phase::running, std::memory_order_seq_cst);
    const std::scoped_lock held(mutex_);
    if (main_ == nullptr) {
        main_ = fresh.get();
        link_first(fresh);
    }
    return main_->self_;
}

std::string Registry::next_dummy_name() {
    return "Dummy-" + std::to_string(dummies_.fetch_add(1, std::memory_order_relaxed) + 1);
}

void Registry::meet_raw(ThreadState& thread) {
    if (thread.is_met_.load(std::memory_order_relaxed)) return;
    thread.set_name(next_dummy_name());
    thread.is_met_.store(true, std::memory_order_seq_cst);
}

ThreadPointer Registry::meet_dummy() {
    auto fresh = std::make_shared<ThreadState>(ThreadKind::dummy, next_dummy_name(), true, nullptr);
    fresh->record_identity();
    fresh->status_.store(ThreadStatus::running, std::memory_order_seq_cst);
    // A thread whose end has been noticed already would stay listed for ever.
    if (this_thread.has_ended) return fresh;
    prepare_thread();
    this_thread.state = fresh.get();
    const std::scoped_lock held(mutex_);
    link_last(fresh);
    return fresh;
}

bool Registry::makes_daemons() const noexcept {
    if (is_main_thread()) return false;
    return this_thread.state == nullptr || this_thread.state->is_daemon();
}

bool Registry::is_listed_alive(const ThreadState& thread) const noexcept {
    const ThreadStatus status = thread.status();
    if (thread.kind() == ThreadKind::raw && !thread.is_met_.load(std::memory_order_seq_cst)) {
        return false;
    }
    return &thread == main_ || status == ThreadStatus::starting || status == ThreadStatus::running;
}

template <class Predicate>
std::vector<ThreadPointer> Registry::find(Predicate is_wanted) {
    std::vector<ThreadPointer> found;
    for (std::size_t room = 16;; room *= 2) {
        found.clear();
        found.reserve(room);
        const std::scoped_lock held(mutex_);
        if (size_ > found.capacity()) continue;
        for (ThreadState* each = first_; each != nullptr; each = each->next_) {
            if (is_wanted(*each)) found.push_back(each->self_);
        }
        return found;
    }
}

std::vector<ThreadPointer> Registry::all() {
    // Made now if it was not met yet: it is always listed.
    const ThreadPointer main_thread = main();
    return find([this](const ThreadState& each) { return is_listed_alive(each); });
}

std::size_t Registry::count() noexcept {
    const std::scoped_lock held(mutex_);
    std::size_t alive = main_ == nullptr ? 1 : 0;
    for (const ThreadState* each = first_; each != nullptr; each = each->next_) {
        alive += is_listed_alive(*each) ? 1 : 0;
    }
    return alive;
}

// A thread's life
// ----------------------------------------------------------------------------------

void Registry::prepare_thread() {
    require_end_slot();
    // A library that was loaded by another thread has not met the main thread before.
    if (is_main_thread()) arm_main_thread();
}

void Registry::prepare_first_start() {
    if (has_started_threads_.exchange(true, std::memory_order_relaxed)) return;
    os::pin_this_module();
    // Once more: this time it runs before the destructors of what was built since the load.
    register_exit_handler();
}

void Registry::enlist(const ThreadPointer& thread) {
    prepare_thread();
    prepare_first_start();
    const std::scoped_lock held(mutex_);
    if (phase() == Phase::finalized) {
        throw std::runtime_error("start: can't start a new thread at exit");
    }
    link_last(thread);
}

void Registry::delist(ThreadState& thread) noexcept {
    ThreadPointer share;
    const std::scoped_lock held(mutex_);
    share = unlink(thread);
}

bool Registry::enter(ThreadState& thread) noexcept {
    this_thread.role = Role::other;
    const int error = try_end_slot();
    if (error != 0) {
        thread.refuse_start(error);
        return false;
    }
    this_thread.state = &thread;
    this_thread.own = &thread;
    this_thread.is_weft_daemon = thread.is_daemon();
    thread.record_identity();
    if (thread.kind() != ThreadKind::raw) thread.show_name();
    thread.become_running();
    return true;
}

void Registry::leave() noexcept {
    this_thread.has_ended = true;
    // The exit protocol may be waiting for the end of this thread.
    this_thread.is_weft_daemon = false;
    ThreadState* const thread = std::exchange(this_thread.state, nullptr);
    if (thread == nullptr) return;
    ThreadPointer share;
    if (thread->kind() == ThreadKind::dummy) {
        {
            const std::scoped_lock held(mutex_);
            share = unlink(*thread);
        }
        thread->become_stopped();
        return;
    }
    // The state lives on: the registry's share goes only when this thread has been joined.
    thread->become_stopped();
    {
        const std::scoped_lock held(mutex_);
        if (last_ended_ != nullptr) share = last_ended_->self_;
        last_ended_ = thread;
    }
    // Each thread that ends joins the one before it, so that no more than one is ever left over.
    if (share != nullptr) reap(*share);
}

void Registry::reap(ThreadState& thread) noexcept {
    using Reaping = ThreadState::Reaping;
    auto expected = Reaping::unclaimed;
    if (thread.reaping_.compare_exchange_strong(expected, Reaping::claimed)) {
        os::join_thread(thread.ident());
        ThreadPointer share;
        {
            const std::scoped_lock held(mutex_);
            if (last_ended_ == &thread) last_ended_ = nullptr;
            share = unlink(thread);
        }
        thread.reaping_.store(Reaping::done, std::memory_order_seq_cst);
        thread.changes_.notify_all();
        return;
    }
    auto is_reaped = [&thread] {
        return thread.reaping_.load(std::memory_order_seq_cst) == Reaping::done;
    };
    thread.changes_.wait(is_reaped, {.is_interruptible = false});
}

// The end of the program
// ---------------------------------------------------------------------------

bool Registry::must_be_joined(const ThreadState& thread) const noexcept {
    return thread.is_own() && !thread.is_daemon() && &thread != this_thread.state &&
           !thread.is_exiting_.load(std::memory_order_seq_cst);
}

ThreadPointer Registry::next_to_join() noexcept {
    const std::scoped_lock held(mutex_);
    for (const ThreadState* each = first_; each != nullptr; each = each->next_) {
        if (must_be_joined(*each)) return each->self_;
    }
    return nullptr;
}

void Registry::reap_last_ended() noexcept {
    ThreadPointer thread;
    {
        const std::scoped_lock held(mutex_);
        if (last_ended_ != nullptr) thread = last_ended_->self_;
    }
    if (thread != nullptr && !thread->is_current()) reap(*thread);
}

void Registry::announce_exit() noexcept {
    ThreadPointer main_thread;
    ThreadPointer this_one;
    {
        const std::scoped_lock held(mutex_);
        if (main_ != nullptr) main_thread = main_->self_;
        if (this_thread.state != nullptr) this_one = this_thread.state->self_;
    }
    if (main_thread != nullptr) main_thread->become_exiting();
    if (this_one != nullptr) this_one->become_exiting();
}

void Registry::note_threads_held_in_exit() noexcept {
    try {
        auto may_be_held = [](const ThreadState& each) {
            return each.is_own() && each.status() == ThreadStatus::running &&
                   &each != this_thread.state && !each.is_exiting_.load(std::memory_order_seq_cst);
        };
        // Looked at with the lock free, since that reads files.
        for (const ThreadPointer& each : find(may_be_held)) {
            if (os::waits_for_lock_of_this_thread(each->native_id())) each->become_exiting();
        }
    } catch (const std::bad_alloc&) {
        // There will be another look.
    }
}

bool Registry::try_finalize() noexcept {
    const std::scoped_lock held(mutex_);
    if (find_hook(HookKind::drain) != nullptr || find_hook(HookKind::join) != nullptr) return false;
    for (const ThreadState* each = first_; each != nullptr; each = each->next_) {
        if (must_be_joined(*each)) return false;
    }
    // Under the lock, so that a thread is either listed before this or refused after it.
    phase_.store(Phase::finalized, std::memory_order_seq_cst);
    return true;
}

bool Registry::has_only_own_threads() {
    for (const ThreadPointer& each : all()) {
        if (each->status() == ThreadStatus::starting) (void)each->wait_until_started();
    }
    const std::vector<std::uint64_t> tasks = os::running_tasks();
    const std::uint64_t mine = os::native_thread_id();
    const std::scoped_lock held(mutex_);
    for (const std::uint64_t task : tasks) {
        bool is_own = task == mine;
        for (const ThreadState* each = first_; each != nullptr && !is_own; each = each->next_) {
            is_own = each->is_own() && each->native_id() == task;
        }
        if (!is_own) return false;
    }
    return !tasks.empty();
}

ExitHook* Registry::find_hook(HookKind kind) const noexcept {
    const std::uint32_t now = detail::fork_generation.load(std::memory_order_relaxed);
    ExitHook* hook = kind == HookKind::drain ? drain_hooks_ : join_hooks_;
    while (hook != nullptr && hook->ran_in == now) hook = hook->next;
    return hook;
}

void Registry::add_hook(HookKind kind, ExitHook& hook) {
    const std::scoped_lock held(mutex_);
    if (phase() == Phase::finalized) {
        throw std::runtime_error("the program has ended: no more work can be accepted");
    }
    hook.ran_in = 0;
    if (hook.is_listed) return;
    hook.is_listed = true;
    ExitHook*& first = kind == HookKind::drain ? drain_hooks_ : join_hooks_;
    hook.next = first;
    first = &hook;
}

ExitHook* Registry::take_hook(HookKind kind) noexcept {
    const std::scoped_lock held(mutex_);
    ExitHook* const hook = find_hook(kind);
    if (hook != nullptr) hook->ran_in = detail::fork_generation.load(std::memory_order_relaxed);
    return hook;
}

// Fork
// ---------------------------------------------------------------------------------------------

void Registry::meet_main_thread() noexcept {
    this_thread.role = Role::main;
    main_ident_.store(os::current_thread(), std::memory_order_release);
    // Without a slot, pthread_exit() from this thread is not noticed; the next use of Weft that
    // needs it tries again and reports.
    (void)try_end_slot();
    arm_main_thread();
}

void Registry::keep_only_this_thread() {
    ThreadState* const mine = this_thread.state;
    // The parent's list may be in the middle of a change, but whatever its links lead to exists:
    // a state is freed only after it was unlinked, and by threads that this process does not have.
    ThreadPointer share;
    if (mine != nullptr) share = unlink(*mine);
    if (first_ != nullptr) {
        // Null in the middle of the first thread's arrival.
        if (last_ != nullptr) last_->next_ = abandoned_;
        abandoned_ = first_;
    }
    first_ = nullptr;
    last_ = nullptr;
    size_ = 0;
    main_ = mine;
    last_ended_ = nullptr;
    this_thread.is_weft_daemon = false;
    meet_main_thread();
    if (mine == nullptr) return;
    if (mine->is_dummy()) {
        try {
            mine->set_name("MainThread");
        } catch (const std::bad_alloc&) {
            // It keeps the dummy's name: fork() has no way to fail here.
        }
    }
    mine->kind_.store(ThreadKind::main, std::memory_order_relaxed);
    mine->is_daemon_.store(false, std::memory_order_relaxed);
    mine->is_exiting_.store(is_ending_the_program(), std::memory_order_seq_cst);
    mine->record_identity();
    link_first(share);
}

// The list
// -----------------------------------------------------------------------------------------

void Registry::link_last(const ThreadPointer& thread) noexcept {
    thread->self_ = thread;
    thread->previous_ = last_;
    thread->next_ = nullptr;
    (last_ != nullptr ? last_->next_ : first_) = thread.get();
    last_ = thread.get();
    ++size_;
}

void Registry::link_first(const ThreadPointer& thread) noexcept {
    thread->self_ = thread;
    thread->previous_ = nullptr;
    thread->next_ = first_;
    (first_ != nullptr ? first_->previous_ : last_) = thread.get();
    first_ = thread.get();
    ++size_;
}

ThreadPointer Registry::unlink(ThreadState& thread) noexcept {
    (thread.previous_ != nullptr ? thread.previous_->next_ : first_) = thread.next_;
    (thread.next_ != nullptr ? thread.next_->previous_ : last_) = thread.previous_;
    thread.previous_ = nullptr;
    thread.next_ = nullptr;
    --size_;
    return std::move(thread.self_);
}

}  // namespace weft::runtime
