#pragma once

#include <cstddef>

#include <weft/detail/one_lock_queue.hpp>
#include <weft/detail/word_array.hpp>
#include <weft/queue/basic_queue.hpp>

namespace weft::queue {

/// A queue between threads that hands out what was put last: Python's `queue.LifoQueue`. Otherwise
/// as Queue, whose members it has.
template <class T>
class LifoQueue
    : public detail::BasicQueue<T, weft::detail::OneLockQueue<weft::detail::WordStack>> {
    using Base = detail::BasicQueue<T, weft::detail::OneLockQueue<weft::detail::WordStack>>;

public:
    /// An empty queue for at most `maxsize` items at a time; without a bound when that is zero or
    /// negative. Allocates nothing.
    explicit LifoQueue(std::ptrdiff_t maxsize = 0) : Base(maxsize) {}
};

}  // namespace weft::queue
