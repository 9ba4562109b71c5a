#pragma once

#include <concepts>
#include <cstdint>
#include <memory>
#include <stop_token>
#include <type_traits>
#include <utility>

#include <weft/detail/coroutine_access.hpp>
#include <weft/detail/coroutine_wait.hpp>
#include <weft/detail/parcel.hpp>
#include <weft/detail/passage.hpp>
#include <weft/queue.hpp>
#include <weft/resume_on.hpp>

// The co_await forms of a queue's get and put. What <weft/coroutines/locks.hpp> says of waiting
// holds here too. An item that a coroutine has been given, and that is destroyed before it could go
// on, dies with it.

namespace weft::coroutines {

namespace detail {

using weft::detail::CoroutineAccess;
using weft::detail::CoroutineWait;
using weft::detail::Passage;

/// How the wait for an item, or for room, ended.
inline Passage passage_of(weft::detail::WaitEnd end, Passage passage) noexcept {
    return end == weft::detail::WaitEnd::notified ? passage : weft::detail::passage_of(end);
}

template <class Queue>
class GetWait final : public CoroutineWait {
    using T = typename Queue::value_type;
    using Taken = typename std::remove_reference_t<decltype(CoroutineAccess::engine(
        std::declval<Queue&>()))>::Taken;

public:
    GetWait(Queue& queue, std::stop_token stop, ResumeOn resume_on) noexcept
        : CoroutineWait(CoroutineAccess::engine(queue).consumers(), std::move(stop), resume_on),
          queue_(queue) {}
    ~GetWait() {
        if (!abandon()) return;
        if (passage_ != Passage::passed) {
            // The notification was not used.
            list().notify_one();
            return;
        }
        try {
            static_cast<void>(CoroutineAccess::unwrap(queue_, taken_));
        } catch (...) {
            // The item is back in the queue.
        }
    }

    bool await_ready() { return take_when_notified(); }
    T await_resume() {
        const Passage passage = passage_of(conclude(), passage_);
        if (passage != Passage::passed) queue::detail::throw_get_failed(passage, {});
        return CoroutineAccess::unwrap(queue_, taken_);
    }

private:
    bool take_or_list(bool is_first) override {
        auto& engine = CoroutineAccess::engine(queue_);
        if constexpr (CoroutineAccess::may_come_back<Queue>) {
            passage_ = engine.pop_held_or_list(taken_, *this, is_first);
        } else {
            passage_ = engine.pop_or_list(taken_, *this, is_first);
        }
        return passage_ != Passage::blocked;
    }
    bool take_when_notified() override {
        auto& engine = CoroutineAccess::engine(queue_);
        if constexpr (CoroutineAccess::may_come_back<Queue>) {
            passage_ = engine.try_pop_held(taken_);
        } else {
            passage_ = engine.try_pop(taken_);
        }
        return passage_ != Passage::blocked;
    }

    Queue& queue_;
    Taken taken_;
    Passage passage_ = Passage::blocked;
};

template <class T>
class SimpleGetWait final : public CoroutineWait {
    using Queue = queue::SimpleQueue<T>;
    using Taken = weft::detail::WordQueue::Taken;

public:
    SimpleGetWait(Queue& queue, std::stop_token stop, ResumeOn resume_on) noexcept
        : CoroutineWait(CoroutineAccess::words(queue).consumers(), std::move(stop), resume_on),
          queue_(queue) {}
    ~SimpleGetWait() {
        if (!abandon()) return;
        if (!has_taken_) {
            list().notify_one();
            return;
        }
        try {
            static_cast<void>(CoroutineAccess::take_out(queue_, taken_));
        } catch (...) {
            // The item is back in the queue.
        }
    }

    bool await_ready() noexcept { return take_when_notified(); }
    T await_resume() {
        weft::detail::throw_if_stopped(conclude());
        return CoroutineAccess::take_out(queue_, taken_);
    }

private:
    bool take_or_list(bool is_first) override {
        return has_taken_ = CoroutineAccess::words(queue_).pop_or_list(taken_, *this, is_first);
    }
    bool take_when_notified() override {
        return has_taken_ = CoroutineAccess::words(queue_).try_pop(taken_);
    }

    Queue& queue_;
    Taken taken_;
    bool has_taken_ = false;
};

/// An item on its way into a queue, in the form in which the queue's engine takes it.
template <class Queue>
class Outgoing {
    using T = typename Queue::value_type;
    using Parcel = weft::detail::Parcel<T>;

public:
    explicit Outgoing(const T& item) : value_(make(item)) {}
    explicit Outgoing(T&& item) : value_(make(std::move(item))) {}

    /// Calls `push(entry, place)`; the item is the queue's once that has returned `passed`.
    template <class Push>
    Passage hand_over(Push push) {
        if constexpr (CoroutineAccess::is_hooked<Queue>) {
            return push(value_, nullptr);
        } else if constexpr (Parcel::is_inline) {
            return push(value_, nullptr);
        } else {
            auto word = Parcel::word_of(*value_);
            const Passage passage = push(word, CoroutineAccess::place_in<Queue>(*value_));
            if (passage == Passage::passed) static_cast<void>(value_.release());
            return passage;
        }
    }
    /// Gives an item that was moved here its value back.
    void give_back(T& item) noexcept {
        if constexpr (!CoroutineAccess::is_hooked<Queue> && !Parcel::is_inline) {
            CoroutineAccess::restore<Queue>(item, *value_);
        } else if constexpr (std::is_nothrow_move_assignable_v<T> &&
                             CoroutineAccess::is_hooked<Queue>) {
            item = std::move(value_);
        } else {
            static_cast<void>(item);  // was only copied
        }
    }

private:
    template <class Item>
    static auto make(Item&& item) {
        if constexpr (CoroutineAccess::is_hooked<Queue>) {
            return T(std::forward<Item>(item));
        } else if constexpr (Parcel::is_inline) {
            return Parcel::pack(item);
        } else {
            return std::make_unique<typename Parcel::Node>(std::in_place, std::forward<Item>(item));
        }
    }

    std::conditional_t<CoroutineAccess::is_hooked<Queue>, T,
                       std::conditional_t<Parcel::is_inline, std::uint64_t,
                                          std::unique_ptr<typename Parcel::Node>>>
        value_;
};

/// `Item` is `const T` for an item that is copied, `T` for one that is moved.
template <class Queue, class Item>
class PutWait final : public CoroutineWait {
public:
    PutWait(Queue& queue, Item& item, std::stop_token stop, ResumeOn resume_on)
        : CoroutineWait(CoroutineAccess::engine(queue).producers(), std::move(stop), resume_on),
          queue_(queue),
          item_(item),
          outgoing_(static_cast<std::conditional_t<std::is_const_v<Item>, Item&, Item&&>>(item)) {}
    ~PutWait() {
        // A notification that was not used; after `passed` there is none left to hand on.
        if (abandon() && passage_ == Passage::blocked) list().notify_one();
    }

    bool await_ready() {
        try {
            return take_when_notified();
        } catch (...) {
            give_back();
            throw;
        }
    }
    void await_resume() {
        Passage passage = passage_;
        try {
            passage = passage_of(conclude(), passage_);
            if (passage != Passage::passed) {
                queue::detail::throw_put_failed(passage, {},
                                                CoroutineAccess::engine(queue_).maxsize());
            }
        } catch (...) {
            give_back();
            throw;
        }
    }

private:
    bool take_or_list(bool is_first) override {
        passage_ = Passage::blocked;
        passage_ = outgoing_.hand_over([&](auto& entry, auto place) {
            return CoroutineAccess::engine(queue_).push_or_list(entry, place, *this, is_first);
        });
        return passage_ != Passage::blocked;
    }
    bool take_when_notified() override {
        passage_ = Passage::blocked;
        passage_ = outgoing_.hand_over([&](auto& entry, auto place) {
            return CoroutineAccess::engine(queue_).try_push(entry, place);
        });
        return passage_ != Passage::blocked;
    }
    void give_back() noexcept {
        if constexpr (!std::is_const_v<Item>) outgoing_.give_back(item_);
    }

    Queue& queue_;
    Item& item_;
    Outgoing<Queue> outgoing_;
    Passage passage_ = Passage::blocked;
};

/// What the functions below return: something to be awaited once, in the same expression.
template <class Wait, class Queue>
class [[nodiscard]] Getting {
public:
    Getting(Queue& queue, std::stop_token stop, ResumeOn resume_on) noexcept
        : queue_(&queue), stop_(std::move(stop)), resume_on_(resume_on) {}
    Wait operator co_await() const { return Wait(*queue_, stop_, resume_on_); }

private:
    Queue* queue_;
    std::stop_token stop_;
    ResumeOn resume_on_;
};

template <class Queue, class Item>
class [[nodiscard]] Putting {
public:
    Putting(Queue& queue, Item& item, std::stop_token stop, ResumeOn resume_on) noexcept
        : queue_(&queue), item_(&item), stop_(std::move(stop)), resume_on_(resume_on) {}
    PutWait<Queue, Item> operator co_await() const {
        return PutWait<Queue, Item>(*queue_, *item_, stop_, resume_on_);
    }

private:
    Queue* queue_;
    Item* item_;
    std::stop_token stop_;
    ResumeOn resume_on_;
};

/// Queue, LifoQueue and PriorityQueue.
template <class Queue>
concept bounded_queue = requires(Queue& queue) { queue.task_done(); };

}  // namespace detail

/// Takes the next item: `Job job = co_await coroutines::get(queue);`. Throws queue::ShutDown when
/// there is none and the queue is shut down, and what moving the item out throws; it is then in the
/// queue again.
template <detail::bounded_queue Queue>
auto get(Queue& queue, ResumeOn resume_on = {}) {
    return detail::Getting<detail::GetWait<Queue>, Queue>(queue, {}, resume_on);
}
/// The same; throws weft::Cancelled when `stop` is triggered first.
template <detail::bounded_queue Queue>
auto get(Queue& queue, std::stop_token stop, ResumeOn resume_on = {}) {
    return detail::Getting<detail::GetWait<Queue>, Queue>(queue, std::move(stop), resume_on);
}
template <class T>
auto get(queue::SimpleQueue<T>& queue, ResumeOn resume_on = {}) {
    return detail::Getting<detail::SimpleGetWait<T>, queue::SimpleQueue<T>>(queue, {}, resume_on);
}
template <class T>
auto get(queue::SimpleQueue<T>& queue, std::stop_token stop, ResumeOn resume_on = {}) {
    return detail::Getting<detail::SimpleGetWait<T>, queue::SimpleQueue<T>>(queue, std::move(stop),
                                                                            resume_on);
}

/// Appends an item: `co_await coroutines::put(queue, std::move(job));`. Throws queue::ShutDown,
/// `std::bad_alloc`, and what copying or moving the item throws; the queue is then as it was, and a
/// moved item has its value again, unless assigning it throws or is impossible.
///
/// What it returns refers to the item: await it in the same expression. A SimpleQueue's put() does
/// not wait, and so has no such form.
template <detail::bounded_queue Queue>
auto put(Queue& queue, const typename Queue::value_type& item, ResumeOn resume_on = {})
    requires std::copy_constructible<typename Queue::value_type>
{
    return detail::Putting<Queue, const typename Queue::value_type>(queue, item, {}, resume_on);
}
template <detail::bounded_queue Queue>
auto put(Queue& queue, typename Queue::value_type&& item, ResumeOn resume_on = {}) {
    return detail::Putting<Queue, typename Queue::value_type>(queue, item, {}, resume_on);
}
/// The same; throws weft::Cancelled when `stop` is triggered first.
template <detail::bounded_queue Queue>
auto put(Queue& queue, const typename Queue::value_type& item, std::stop_token stop,
         ResumeOn resume_on = {})
    requires std::copy_constructible<typename Queue::value_type>
{
    return detail::Putting<Queue, const typename Queue::value_type>(queue, item, std::move(stop),
                                                                    resume_on);
}
template <detail::bounded_queue Queue>
auto put(Queue& queue, typename Queue::value_type&& item, std::stop_token stop,
         ResumeOn resume_on = {}) {
    return detail::Putting<Queue, typename Queue::value_type>(queue, item, std::move(stop),
                                                              resume_on);
}

}  // namespace weft::coroutines
