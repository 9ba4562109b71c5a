#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <utility>

#include <weft/detail/one_lock_queue.hpp>
#include <weft/detail/parcel.hpp>
#include <weft/detail/word_array.hpp>
#include <weft/queue/basic_queue.hpp>

namespace weft::queue {

namespace detail {

/// Compares the items behind two words.
template <class T, class Less>
struct WordLess {
    using Parcel = weft::detail::Parcel<T>;

    bool operator()(std::uint64_t a, std::uint64_t b) {
        if constexpr (Parcel::is_inline) {
            const T first = Parcel::unpack(a);
            const T second = Parcel::unpack(b);
            return static_cast<bool>(less(first, second));
        } else {
            return static_cast<bool>(less(Parcel::item_of(a), Parcel::item_of(b)));
        }
    }

    [[no_unique_address]] Less less;
};

}  // namespace detail

/// A queue between threads that hands out the least item first: Python's `queue.PriorityQueue`.
/// Equal items come in no promised order. Otherwise as Queue, whose members it has.
///
/// `Less` is a strict weak order of items, called with the queue's lock held. It must not use the
/// queue, which would wait for ever, and must not wait for anything: all who use the queue would
/// wait with it, whatever their limits. When it throws, the put or get that compared throws the
/// same, and the queue is as it was.
///
///     queue::PriorityQueue<Job, std::greater<Job>> greatest_first;
template <class T, class Less = std::less<T>>
class PriorityQueue
    : public detail::BasicQueue<
          T, weft::detail::OneLockQueue<weft::detail::WordHeap<detail::WordLess<T, Less>>>> {
    static_assert(std::predicate<Less&, const T&, const T&>,
                  "PriorityQueue<T, Less> compares items: less(a, b) must be callable with two "
                  "const T& and give a bool.");
    using Base = detail::BasicQueue<
        T, weft::detail::OneLockQueue<weft::detail::WordHeap<detail::WordLess<T, Less>>>>;

public:
    /// An empty queue for at most `maxsize` items at a time; without a bound when that is zero or
    /// negative. Allocates nothing.
    explicit PriorityQueue(std::ptrdiff_t maxsize = 0, Less less = Less())
        : Base(maxsize, detail::WordLess<T, Less>{std::move(less)}) {}
};

}  // namespace weft::queue
