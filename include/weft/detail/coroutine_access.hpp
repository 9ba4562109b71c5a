#pragma once

#include <utility>

#include <weft/detail/wait_list.hpp>

namespace weft::detail {

/// The way from coroutines' waits to what they wait for.
struct CoroutineAccess {
    template <class Object>
    static WaitList& waiters(Object& object) noexcept {
        return object.waiters_;
    }
    template <class Lock>
    static bool try_take(Lock& lock) noexcept {
        return lock.try_take();
    }
    template <class Lock>
    static bool take_or_list(Lock& lock, Waiter& waiter) noexcept {
        return lock.take_or_list(waiter);
    }
    template <class Lock>
    static void give_back(Lock& lock) noexcept {
        lock.give_back();
    }
    template <class Event>
    static bool see_or_list(Event& event, Waiter& waiter) noexcept {
        return event.see_or_list(waiter);
    }
    template <class Condition>
    static auto* given_lock(Condition& condition) noexcept {
        return condition.given_lock_;
    }
    template <class Condition>
    static auto& own_lock(Condition& condition) noexcept {
        return condition.rlock_->lock_;
    }
    template <class Condition>
    static void require_held_lock(const Condition& condition) {
        condition.require_held_lock();
    }
    template <class Condition>
    static void list_and_release(Condition& condition, Waiter& waiter) {
        condition.list_and_release(waiter);
    }

    // Queues.
    template <class Queue>
    static auto& engine(Queue& queue) noexcept {
        return queue.engine_;
    }
    template <class Queue>
    static auto& words(Queue& queue) noexcept {
        return queue.words_;
    }
    template <class Queue>
    static constexpr bool is_hooked = Queue::kIsHooked;
    template <class Queue>
    static constexpr bool may_come_back = Queue::kMayComeBack;
    template <class Queue, class Node>
    static auto* place_in(Node& node) noexcept {
        return Queue::place_in(node);
    }
    template <class Queue, class T, class Node>
    static void restore(T& item, Node& node) noexcept {
        Queue::restore(item, node);
    }
    template <class Queue, class Taken>
    static auto unwrap(Queue& queue, Taken& taken) {
        return queue.unwrap(taken);
    }
    template <class Queue, class Taken>
    static auto take_out(Queue& queue, const Taken& taken) {
        return queue.take_out(taken);
    }
};

}  // namespace weft::detail
