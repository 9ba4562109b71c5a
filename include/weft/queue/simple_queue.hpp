#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <stop_token>
#include <type_traits>
#include <utility>

#include <weft/detail/config.hpp>
#include <weft/detail/parcel.hpp>
#include <weft/detail/word_queue.hpp>
#include <weft/queue/errors.hpp>
#include <weft/timeout.hpp>

namespace weft::queue {

namespace detail {

// The calls that end in an exception are compiled once for all types.
[[noreturn]] WEFT_API void throw_empty();
WEFT_API void check_get_timeout(Timeout timeout);
/// Takes the oldest word after waiting for one; throws what the end of the wait says.
[[nodiscard]] WEFT_API weft::detail::WordQueue::Taken wait_for_word(weft::detail::WordQueue& words,
                                                                    Timeout timeout,
                                                                    const std::stop_token* stop);

}  // namespace detail

/// An unbounded queue between threads, first in first out over all who put: Python's
/// `queue.SimpleQueue`. It knows neither a bound nor tasks; in return it is the fastest queue here.
///
/// State: a sequence of items. put appends without ever blocking, get takes the oldest and waits
/// while there is none. T may be any type that can be moved, also one that cannot be copied or
/// whose moves throw.
///
///     queue::SimpleQueue<std::string> lines;
///     std::jthread reader([&] { for (std::string line; std::getline(std::cin, line);)
///     lines.put(line); }); std::string first = lines.get();
///
/// All members but the destructor may be called by any threads at once. Puts and gets take effect
/// one after the other in one order, which keeps the order of each thread. What a thread wrote
/// before it put an item is seen by the thread that gets the item.
///
/// The queue never copies, moves, assigns or destroys an item while it holds a lock of its own. An
/// item's constructors, assignment and destructor may therefore call any member of the same queue.
/// A signal handler must not: it may have interrupted a member. Unlike Python, whose signal
/// handlers run between two instructions of the interpreter.
///
/// Plain items of up to eight bytes take eight bytes of the queue's memory. Any other item has a
/// node of its own, which the putting thread cuts from a page of four kilobytes. A page is freed
/// with the last of its items, so in the worst case (small items, of which one in 251 stays) an
/// item keeps four kilobytes. What a thread has not cut yet keeps its page until the thread ends:
/// at most eight pages, one for each size class, hence 32 kilobytes a thread.
///
/// The queue stays where it was built: it can be neither copied nor moved. Its destructor destroys
/// the items that are left. It may run once every get has returned, also before the put that
/// brought the last item has: a queue for one reply may live on the stack of whoever waits for it.
/// To destroy a queue that a thread waits on is a mistake, which an assertion reports in debug
/// builds.
///
/// After fork the child has the items that were in the queue, each wholly or not at all whatever
/// other threads were doing, and nobody waits. An item that another thread was taking is in neither
/// the queue nor, for want of that thread, anywhere else in the child.
template <class T>
class SimpleQueue {
    static_assert(std::is_object_v<T> && !std::is_array_v<T> &&
                      std::same_as<T, std::remove_cv_t<T>>,
                  "SimpleQueue<T> holds objects: T must not be a reference, an array, void, a "
                  "function, const or volatile.");
    static_assert(std::move_constructible<T>,
                  "SimpleQueue<T> hands items out by value: T must be movable or copyable.");

public:
    using value_type = T;

    /// An empty queue. Takes no memory before the first put.
    constexpr SimpleQueue() noexcept = default;
    SimpleQueue(const SimpleQueue&) = delete;
    SimpleQueue& operator=(const SimpleQueue&) = delete;

    ~SimpleQueue() {
        if constexpr (!Parcel::is_inline) {
            // One by one, because an item's destructor may put another.
            Taken taken;
            while (words_.try_pop(taken)) Parcel::node_of(taken.word).reset();
        }
    }

    /// The number of items at one moment during the call; other threads may have changed it since.
    [[nodiscard]] std::size_t qsize() const noexcept { return words_.size(); }

    /// True when there was no item at one moment during the call. Takes no lock. Says nothing about
    /// other queues at that moment: two threads of which each puts into one queue and then looks at
    /// the other may both find it empty.
    [[nodiscard]] bool empty() const noexcept { return words_.is_empty(); }

    /// Appends an item. Never waits. Throws `std::bad_alloc`, and whatever copying or moving T
    /// throws; the queue is then as it was. A moved item keeps its value when there is no memory
    /// and its assignment cannot throw.
    void put(const T& item)
        requires std::copy_constructible<T>
    {
        emplace(item);
    }
    void put(T&& item) {
        if constexpr (Parcel::is_inline) {
            words_.push(Parcel::pack(item));
        } else {
            auto node = std::make_unique<Node>(std::in_place, std::move(item));
            try {
                words_.push(Parcel::word_of(*node));
            } catch (...) {
                if constexpr (std::is_nothrow_move_assignable_v<T>) item = std::move(node->item);
                throw;
            }
            static_cast<void>(node.release());
        }
    }

    /// The same: `block` and `timeout` are there for code that also serves bounded queues, and are
    /// ignored whatever their values.
    void put(const T& item, std::same_as<bool> auto /*block*/, Timeout /*timeout*/ = {})
        requires std::copy_constructible<T>
    {
        emplace(item);
    }
    void put(T&& item, std::same_as<bool> auto /*block*/, Timeout /*timeout*/ = {}) {
        put(std::move(item));
    }

    /// The same as put(item).
    void put_nowait(const T& item)
        requires std::copy_constructible<T>
    {
        emplace(item);
    }
    void put_nowait(T&& item) { put(std::move(item)); }

    /// Appends an item made from `args`. Otherwise as put. An addition to Python's members.
    template <class... Args>
        requires std::constructible_from<T, Args...>
    void emplace(Args&&... args) {
        if constexpr (Parcel::is_inline) {
            words_.push(Parcel::pack(T(std::forward<Args>(args)...)));
        } else {
            auto node = std::make_unique<Node>(std::in_place, std::forward<Args>(args)...);
            words_.push(Parcel::word_of(*node));
            static_cast<void>(node.release());
        }
    }

    /// Takes the oldest item. Waits, without limit, while there is none. Throws
    /// weft::KeyboardInterrupt on the main thread when Ctrl-C is pressed while it waits and a
    /// KeyboardInterruptGuard lives.
    ///
    /// When moving the item out throws, the exception goes on to the caller, and the item, as its
    /// move has left it, goes back to where it was, before all items that were put later. Until
    /// then it is not in the queue for anybody else. After any other exception nothing has changed.
    /// The same holds for the other ways to get.
    T get() {
        Taken taken;
        if (!words_.try_pop(taken)) taken = detail::wait_for_word(words_, Timeout(), nullptr);
        return take_out(taken);
    }

    /// Takes the oldest item. `block` false: throws queue::Empty when there is none at once, and
    /// ignores `timeout`. Otherwise waits for at most `timeout` (zero: not at all) and then throws
    /// queue::Empty.
    ///
    /// Throws `std::invalid_argument` for a negative limit, also when an item is there, and
    /// KeyboardInterrupt as get() does.
    T get(std::same_as<bool> auto block, Timeout timeout = {}) {
        if (!block) return get_nowait();
        detail::check_get_timeout(timeout);
        Taken taken;
        if (!words_.try_pop(taken)) taken = detail::wait_for_word(words_, timeout, nullptr);
        return take_out(taken);
    }

    /// As get(true, timeout), but also stops waiting when `stop` is triggered, and then throws
    /// weft::Cancelled. An item that is there is taken even if the stop was requested before.
    T get(std::stop_token stop, Timeout timeout = {}) {
        detail::check_get_timeout(timeout);
        Taken taken;
        if (!words_.try_pop(taken)) taken = detail::wait_for_word(words_, timeout, &stop);
        return take_out(taken);
    }

    /// The same as get(false).
    T get_nowait() {
        Taken taken;
        if (!words_.try_pop(taken)) detail::throw_empty();
        return take_out(taken);
    }

private:
    friend struct weft::detail::CoroutineAccess;

    using Parcel = weft::detail::Parcel<T>;
    using Node = typename Parcel::Node;
    using Taken = weft::detail::WordQueue::Taken;

    T take_out(const Taken& taken) {
        if constexpr (Parcel::is_inline) {
            return Parcel::unpack(taken.word);
        } else {
            std::unique_ptr<Node> node = Parcel::node_of(taken.word);
            if constexpr (Parcel::may_come_back) {
                try {
                    return T(std::move(node->item));
                } catch (...) {
                    words_.give_back(taken, *node.release());
                    throw;
                }
            } else {
                return T(std::move(node->item));
            }
        }
    }

    weft::detail::WordQueue words_;
};

}  // namespace weft::queue
