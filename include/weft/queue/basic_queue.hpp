#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <stop_token>
#include <type_traits>
#include <utility>

#include <weft/detail/config.hpp>
#include <weft/detail/parcel.hpp>
#include <weft/detail/passage.hpp>
#include <weft/detail/slot.hpp>
#include <weft/detail/task_count.hpp>
#include <weft/detail/wait_list.hpp>
#include <weft/detail/word_queue.hpp>
#include <weft/queue/errors.hpp>
#include <weft/timeout.hpp>

namespace weft::queue::detail {

/// How a put or a get waits.
struct Patience {
    bool may_wait = true;
    Timeout timeout = {};
    const std::stop_token* stop = nullptr;
};

// The calls that end in an exception are compiled once for all types.
[[noreturn]] WEFT_API void throw_put_failed(weft::detail::Passage why, const Patience& patience,
                                            std::int64_t maxsize);
[[noreturn]] WEFT_API void throw_get_failed(weft::detail::Passage why, const Patience& patience);
[[noreturn]] WEFT_API void throw_negative(const char* member, Timeout timeout);
[[noreturn]] WEFT_API void throw_too_many_done();
WEFT_API bool wait_for_tasks(weft::detail::TaskCount& tasks, Timeout timeout,
                             const std::stop_token* stop);
[[nodiscard]] WEFT_API weft::detail::WaitLimits limits_of(const Patience& patience) noexcept;

/// What Queue, LifoQueue and PriorityQueue have in common: everything but the order of their items.
///
/// All members but the destructor may be called by any threads at once. Puts, gets, shutdown() and
/// set_maxsize() take effect one after the other in one order, which keeps the order of each
/// thread. What a thread wrote before it put an item is seen by the thread that gets it; what it
/// wrote before task_done(), by a thread whose join() returns for it.
///
/// The queue never copies, moves, assigns or destroys an item while it holds a lock of its own (a
/// storage of the user's is the exception, and a PriorityQueue compares under its lock). An item's
/// constructors, assignment and destructor may therefore call any member of the same queue; a
/// signal handler must not.
///
/// When moving an item out throws, the exception goes on to the caller, and the item, as its move
/// has left it, goes back to where it was; until then it is not in the queue for anybody else, but
/// its place stays taken. After any other exception nothing has changed. A thread that forks while
/// it moves an item out, and whose move throws in the child, has lost the item there.
///
/// The destructor destroys the items that are left. It may run once every call has returned, except
/// for puts that found room at once and for task_done(): whoever got the last item, or returns from
/// join(), may destroy the queue. To destroy a queue that a thread waits on is a mistake, which an
/// assertion reports in debug builds.
///
/// After fork the child has the items that were in the queue, each wholly or not at all whatever
/// other threads were doing, and nobody waits. An item that another thread was taking is in neither
/// the queue nor, for want of that thread, anywhere else in the child; it stays unfinished. So do
/// those that an immediate shutdown on another thread was letting vanish.
///
/// To cancel a thread (pthread_cancel, pthread_exit) inside an item's assignment, or in a
/// destructor or comparison that runs below a noexcept function of the queue, ends the process.
template <class T, class Engine>
class BasicQueue {
    static_assert(std::is_object_v<T> && !std::is_array_v<T> &&
                      std::same_as<T, std::remove_cv_t<T>>,
                  "A queue holds objects: T must not be a reference, an array, void, a function, "
                  "const or volatile.");
    static_assert(std::move_constructible<T>,
                  "A queue hands items out by value: T must be movable or copyable.");

public:
    using value_type = T;

    BasicQueue(const BasicQueue&) = delete;
    BasicQueue& operator=(const BasicQueue&) = delete;

    /// The number of items at one moment during the call; other threads may have changed it since.
    [[nodiscard]] std::size_t qsize() const noexcept(kIsPlain) { return engine_.size(); }

    /// True when there was no item at one moment during the call.
    [[nodiscard]] bool empty() const noexcept(kIsPlain) { return engine_.is_empty(); }

    /// True when there is a bound and, at one moment during the call, at least as many items.
    [[nodiscard]] bool full() const noexcept(kIsPlain) {
        return engine_.maxsize() > 0 && engine_.is_full();
    }

    /// The bound; there is none when it is zero or negative.
    [[nodiscard]] std::ptrdiff_t maxsize() const noexcept {
        return static_cast<std::ptrdiff_t>(engine_.maxsize());
    }

    /// Changes the bound, and wakes as many of those who wait for room as there is room for. With
    /// fewer places than items, puts wait until enough were taken. Allocates nothing. Unlike
    /// Python, where the attribute is assigned and nobody is woken.
    void set_maxsize(std::ptrdiff_t maxsize) noexcept(kIsPlain) { engine_.set_maxsize(maxsize); }

    /// True once shutdown() was called.
    [[nodiscard]] bool is_shutdown() const noexcept { return engine_.is_shut_down(); }

    /// How many items that were put are not done: the puts less the calls of task_done().
    [[nodiscard]] std::size_t unfinished_tasks() const noexcept {
        return static_cast<std::size_t>(engine_.tasks().unfinished());
    }

    /// Appends an item, and counts one unfinished task. Waits, without limit, while the queue is
    /// full.
    ///
    /// Throws queue::ShutDown when the queue is shut down, also while this waits, `std::bad_alloc`,
    /// whatever copying or moving T throws, and weft::KeyboardInterrupt on the main thread when
    /// Ctrl-C is pressed while it waits and a KeyboardInterruptGuard lives; the queue is then as it
    /// was. A moved item then has its value again, unless assigning it throws.
    ///
    /// An item whose type cannot be assigned keeps its value when the put fails at once. It is lost
    /// when the put fails after a wait, when the queue has no memory for it, and when between the
    /// look for room and the put another thread took the last place or shut the queue down.
    void put(const T& item)
        requires std::copy_constructible<T>
    {
        put_copy(item, {});
    }
    void put(T&& item) { put_moved(item, {}); }

    /// `block` false: throws queue::Full when there is no room at once, and ignores `timeout`.
    /// Otherwise waits for at most `timeout` (zero: not at all) and then throws queue::Full.
    ///
    /// Throws `std::invalid_argument` for a negative limit, also when there is room, but not
    /// without a bound. Otherwise as put(item).
    void put(const T& item, std::same_as<bool> auto block, Timeout timeout = {})
        requires std::copy_constructible<T>
    {
        put_copy(item, {.may_wait = block, .timeout = timeout});
    }
    void put(T&& item, std::same_as<bool> auto block, Timeout timeout = {}) {
        put_moved(item, {.may_wait = block, .timeout = timeout});
    }

    /// As put(item, true, timeout), but also stops waiting when `stop` is triggered, and then
    /// throws weft::Cancelled. An item that there is room for is put even if the stop was requested
    /// before.
    void put(const T& item, std::stop_token stop, Timeout timeout = {})
        requires std::copy_constructible<T>
    {
        put_copy(item, {.timeout = timeout, .stop = &stop});
    }
    void put(T&& item, std::stop_token stop, Timeout timeout = {}) {
        put_moved(item, {.timeout = timeout, .stop = &stop});
    }

    /// The same as put(item, false).
    void put_nowait(const T& item)
        requires std::copy_constructible<T>
    {
        put_copy(item, {.may_wait = false});
    }
    void put_nowait(T&& item) { put_moved(item, {.may_wait = false}); }

    /// Takes the next item. Waits, without limit, while there is none.
    ///
    /// Throws queue::ShutDown when there is none and the queue is shut down, also while this waits,
    /// and weft::KeyboardInterrupt as put() does.
    T get() { return take({}); }

    /// `block` false: throws queue::Empty when there is no item at once, and ignores `timeout`.
    /// Otherwise waits for at most `timeout` (zero: not at all) and then throws queue::Empty.
    ///
    /// Throws `std::invalid_argument` for a negative limit, also when an item is there. Otherwise
    /// as get().
    T get(std::same_as<bool> auto block, Timeout timeout = {}) {
        return take({.may_wait = block, .timeout = timeout});
    }

    /// As get(true, timeout), but also stops waiting when `stop` is triggered, and then throws
    /// weft::Cancelled. An item that is there is taken even if the stop was requested before.
    T get(std::stop_token stop, Timeout timeout = {}) {
        return take({.timeout = timeout, .stop = &stop});
    }

    /// The same as get(false).
    T get_nowait() { return take({.may_wait = false}); }

    /// Says that an item that was got is done with. Wakes those who wait in join() when it was the
    /// last. Throws `std::invalid_argument` when every item is done already.
    void task_done() {
        if (!engine_.tasks().finish_one()) throw_too_many_done();
    }

    /// Waits until every item that was put is done. Returns at once when none is unfinished. Throws
    /// KeyboardInterrupt as put() does.
    void join() { wait_for_tasks(engine_.tasks(), Timeout(), nullptr); }

    /// The same for at most `timeout` (zero or negative: without waiting), and until `stop` is
    /// triggered, when it throws weft::Cancelled. Returns whether every item is done. Additions to
    /// Python's members.
    bool join(Timeout timeout) { return wait_for_tasks(engine_.tasks(), timeout, nullptr); }
    bool join(std::stop_token stop, Timeout timeout = {}) {
        return wait_for_tasks(engine_.tasks(), timeout, &stop);
    }

    /// Ends the queue. Puts fail from now on, also those that wait. Gets take what is left and then
    /// fail; those that wait fail at once. join() still needs task_done() for what is left.
    ///
    /// `immediate`: all items vanish (and are destroyed before this returns), the number of
    /// unfinished tasks drops by theirs, but not below zero, and everybody who waits is woken. A
    /// join() returns only if no item is unfinished then: what was got before still needs
    /// task_done().
    ///
    /// May be called again, in either way; an immediate shutdown cannot be undone by a later
    /// graceful one.
    ///
    /// Over a storage of the user's, the items leave it one by one, and each is counted as it
    /// leaves. When its qsize() throws, the queue is shut down, but not emptied; when its get()
    /// throws, nobody gets what is left, which stays unfinished until shutdown(true) is called
    /// again.
    void shutdown(bool immediate = false) {
        typename Engine::Contents contents;
        engine_.shut_down(immediate, contents);
        if constexpr (kIsHooked) {
            for (Taken rest; immediate && engine_.drain_one(rest); rest.reset()) continue;
        } else if constexpr (!Parcel::is_inline) {
            for (std::uint64_t word = 0; contents.next(word);) Parcel::node_of(word).reset();
        }
    }

    /// Gets one item after the other until the queue is shut down and empty:
    ///
    ///     for (Job job : queue) { handle(job); queue.task_done(); }
    ///
    /// Each step waits as get() does, and throws what get() throws but ShutDown. Several threads
    /// may do so at once; each item goes to one of them. An addition to Python's members.
    class Iterator {
    public:
        using iterator_concept = std::input_iterator_tag;
        using value_type = T;
        using difference_type = std::ptrdiff_t;

        /// The item; may be moved from.
        T&& operator*() const noexcept { return std::move(*item_); }
        Iterator& operator++() {
            item_.reset();
            queue_->take_next(item_);
            return *this;
        }
        void operator++(int) { ++*this; }
        friend bool operator==(const Iterator& iterator, std::default_sentinel_t) noexcept {
            return !iterator.item_.has_value();
        }

    private:
        friend class BasicQueue;
        explicit Iterator(BasicQueue& queue) : queue_(&queue) { queue.take_next(item_); }
        BasicQueue* queue_;
        mutable weft::detail::Slot<T> item_;
    };

    [[nodiscard]] Iterator begin() { return Iterator(*this); }
    [[nodiscard]] static std::default_sentinel_t end() noexcept { return {}; }

protected:
    template <class... Args>
    explicit BasicQueue(std::ptrdiff_t maxsize, Args&&... args)
        : engine_(maxsize, std::forward<Args>(args)...) {}

    ~BasicQueue() {
        if constexpr (!kIsHooked && !Parcel::is_inline) {
            // One by one, because an item's destructor may put another.
            Taken taken;
            while (engine_.remove_any(taken)) Parcel::node_of(taken.word).reset();
        }
    }

private:
    friend struct weft::detail::CoroutineAccess;

    using Parcel = weft::detail::Parcel<T>;
    using Node = typename Parcel::Node;
    using Passage = weft::detail::Passage;
    using Returned = weft::detail::WordQueue::Returned;
    using Taken = typename Engine::Taken;

    /// The storage is the user's, and holds the items themselves.
    static constexpr bool kIsHooked = std::same_as<Taken, weft::detail::Slot<T>>;
    static constexpr bool kIsPlain = !kIsHooked;
    static constexpr bool kMayComeBack = !kIsHooked && Parcel::may_come_back;

    static_assert(
        !kIsHooked || std::is_nothrow_move_constructible_v<T>,
        "A queue with a storage of your own needs items whose move does not throw: T must "
        "be nothrow move constructible.");

    static Returned* place_in(Node& node) noexcept {
        if constexpr (kMayComeBack) return &node;
        static_cast<void>(node);
        return nullptr;
    }

    void check_put_timeout(const Patience& patience) {
        if (patience.may_wait && patience.timeout.is_negative() && maxsize() > 0 && !is_shutdown())
            [[unlikely]]
            throw_negative("put", patience.timeout);
    }

    template <class Entry>
    void put_entry(Entry& entry, Returned* place, const Patience& patience) {
        check_put_timeout(patience);
        Passage passage = engine_.try_push(entry, place);
        if (passage == Passage::blocked && patience.may_wait)
            passage = engine_.push(entry, place, limits_of(patience));
        if (passage != Passage::passed) throw_put_failed(passage, patience, engine_.maxsize());
    }

    void put_copy(const T& item, const Patience& patience) {
        if constexpr (kIsHooked) {
            T copy(item);
            put_entry(copy, nullptr, patience);
        } else if constexpr (Parcel::is_inline) {
            std::uint64_t word = Parcel::pack(item);
            put_entry(word, nullptr, patience);
        } else {
            auto node = std::make_unique<Node>(std::in_place, item);
            std::uint64_t word = Parcel::word_of(*node);
            put_entry(word, place_in(*node), patience);
            static_cast<void>(node.release());
        }
    }

    void put_moved(T& item, const Patience& patience) {
        if constexpr (kIsHooked) {
            put_entry(item, nullptr, patience);
        } else if constexpr (Parcel::is_inline) {
            std::uint64_t word = Parcel::pack(item);
            put_entry(word, nullptr, patience);
        } else {
            if constexpr (!std::is_move_assignable_v<T>) look_before_move(patience);
            auto node = std::make_unique<Node>(std::in_place, std::move(item));
            std::uint64_t word = Parcel::word_of(*node);
            try {
                put_entry(word, place_in(*node), patience);
            } catch (...) {
                restore(item, *node);
                throw;
            }
            static_cast<void>(node.release());
        }
    }

    /// For an item that cannot be given its value back: fails before it is moved where that can be
    /// told.
    void look_before_move(const Patience& patience) {
        check_put_timeout(patience);
        const Passage passage = engine_.look_for_room();
        const bool is_poll = !patience.may_wait || patience.timeout == Timeout(0);
        const bool has_failed =
            passage == Passage::shut_down || (passage == Passage::blocked && is_poll);
        if (has_failed) throw_put_failed(passage, patience, engine_.maxsize());
    }

    static void restore(T& item, Node& node) noexcept {
        if constexpr (std::is_move_assignable_v<T>) {
            try {
                item = std::move(node.item);
            } catch (...) {
                // What is told to the caller is why the put failed.
            }
        }
    }

    Passage try_take(Taken& taken, const Patience& patience) {
        if (patience.may_wait && patience.timeout.is_negative()) [[unlikely]] {
            if (!is_shutdown() || !empty()) throw_negative("get", patience.timeout);
        }
        if constexpr (kMayComeBack) {
            const Passage passage = engine_.try_pop_held(taken);
            if (passage != Passage::blocked || !patience.may_wait) return passage;
            return engine_.pop_held(taken, limits_of(patience));
        } else {
            const Passage passage = engine_.try_pop(taken);
            if (passage != Passage::blocked || !patience.may_wait) return passage;
            return engine_.pop(taken, limits_of(patience));
        }
    }

    T take(const Patience& patience) {
        Taken taken;
        const Passage passage = try_take(taken, patience);
        if (passage != Passage::passed) throw_get_failed(passage, patience);
        return unwrap(taken);
    }

    /// For the iterator: leaves `item` empty when the queue is shut down.
    void take_next(weft::detail::Slot<T>& item) {
        Taken taken;
        const Passage passage = try_take(taken, {});
        if (passage == Passage::shut_down) return;
        if (passage != Passage::passed) throw_get_failed(passage, {});
        item.fill([&]() -> T { return unwrap(taken); });
    }

    /// Frees the place of an item that is out for good.
    struct Settling {
        Engine* engine;
        const Taken& taken;
        ~Settling() {
            if (engine != nullptr) engine->settle(taken);
        }
    };

    T unwrap(Taken& taken) {
        if constexpr (kIsHooked) {
            return std::move(*taken);
        } else if constexpr (Parcel::is_inline) {
            return Parcel::unpack(taken.word);
        } else {
            std::unique_ptr<Node> node = Parcel::node_of(taken.word);
            if constexpr (kMayComeBack) {
                Settling settling{&engine_, taken};
                try {
                    return T(std::move(node->item));
                } catch (...) {
                    settling.engine = nullptr;
                    const auto place_of = [](std::uint64_t word) -> Returned& {
                        return Parcel::place_of(word);
                    };
                    if (engine_.give_back(taken, place_of)) static_cast<void>(node.release());
                    throw;
                }
            } else {
                return T(std::move(node->item));
            }
        }
    }

    // Looking at a queue may finish what a fork has cut off.
    mutable Engine engine_;
};

}  // namespace weft::queue::detail
