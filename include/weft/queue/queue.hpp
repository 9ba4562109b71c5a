#pragma once

#include <concepts>
#include <cstddef>
#include <type_traits>
#include <utility>

#include <weft/detail/bounded_word_queue.hpp>
#include <weft/detail/hooked_storage.hpp>
#include <weft/detail/one_lock_queue.hpp>
#include <weft/queue/basic_queue.hpp>

namespace weft::queue {

/// What keeps the items of a queue that orders them in a way of its own: the counterpart of the
/// methods that a subclass of Python's Queue overrides (`_init`, `_qsize`, `_put`, `_get`).
///
/// - `init(maxsize)`: called once, by the constructor.
/// - `qsize()`: how many items there are. Called by most members of the queue.
/// - `put(T&&)`: keeps an item. Called only while qsize() is less than the bound.
/// - `get()`: gives up an item. Called only while qsize() is not zero.
///
/// All are called with the queue's lock held, one at a time. They must not use the queue, which
/// would wait for ever, and must not wait for anything: all who use the queue would wait with them,
/// whatever their limits. What they throw goes on to whoever called the queue; the lock is then
/// released and no task counted, and the contents are as the function has left them.
template <class S, class T>
concept storage_of = requires(S& storage, T&& item, std::ptrdiff_t maxsize) {
    storage.init(maxsize);
    { storage.qsize() } -> std::convertible_to<std::size_t>;
    storage.put(std::move(item));
    { storage.get() } -> std::convertible_to<T>;
};

namespace detail {

template <class T, class Storage>
struct EngineOf {
    static_assert(storage_of<Storage, T>,
                  "The storage of a Queue<T, Storage> has the members init(std::ptrdiff_t), "
                  "qsize(), put(T&&) and T get().");
    using type = weft::detail::OneLockQueue<weft::detail::HookedStorage<T, Storage>>;
};
template <class T>
struct EngineOf<T, void> {
    using type = weft::detail::BoundedWordQueue;
};

}  // namespace detail

/// A queue between threads, first in first out over all who put, with or without a bound: Python's
/// `queue.Queue`.
///
///     queue::Queue<Job> jobs(100);
///     std::jthread worker([&] {
///         for (Job job : jobs) {
///             handle(job);
///             jobs.task_done();
///         }
///     });
///     for (Job& job : all) jobs.put(std::move(job));
///     jobs.join();
///     jobs.shutdown();
///
/// State: a sequence of items, a bound, the number of unfinished tasks, and whether it is shut
/// down. T may be any type that can be moved, also one that cannot be copied or whose moves throw.
/// Plain items of up to eight bytes take eight bytes of the queue's memory; any other has a node of
/// its own, as in SimpleQueue. A bound takes no memory, however large.
///
/// `Storage`, where given, keeps the items in an order of its own; see storage_of. T must then be
/// nothrow move constructible, and after a fork in the middle of one of the storage's functions on
/// another thread the child's calls throw `std::runtime_error`.
///
/// The members are those of BasicQueue.
template <class T, class Storage = void>
class Queue : public detail::BasicQueue<T, typename detail::EngineOf<T, Storage>::type> {
    using Base = detail::BasicQueue<T, typename detail::EngineOf<T, Storage>::type>;

public:
    /// An empty queue for at most `maxsize` items at a time; without a bound when that is zero or
    /// negative. Allocates nothing.
    explicit Queue(std::ptrdiff_t maxsize = 0)
        requires std::same_as<Storage, void>
        : Base(maxsize) {}

    /// The same, over a storage. Throws what `storage.init(maxsize)` throws.
    template <class S = Storage>
        requires(!std::same_as<S, void>)
    explicit Queue(std::ptrdiff_t maxsize = 0, S storage = S())
        : Base(maxsize, maxsize, std::move(storage)) {}
};

}  // namespace weft::queue
