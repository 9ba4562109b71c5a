#pragma once

#include <cstddef>

#include <weft/detail/config.hpp>

namespace weft::detail {

/// Memory for small objects that one thread makes and another destroys a little later, such as the
/// items of a queue.
///
/// A general allocator does badly with this: what the consumer frees piles up on its side, and
/// every few calls one of the two has to take the other's lock. Here a thread cuts its nodes, one
/// after the other, from a page of its own, and a page is freed as a whole by whoever frees the
/// last of its nodes. In return the longest-lived node keeps its page of four kilobytes: in the
/// worst case one node in 251. A thread's uncut slots keep their page until it ends: at most one
/// page for each of the eight size classes, 32 kilobytes.
///
/// Derive from it to have a type's `new` and `delete` use it; only for types that fit().
struct NodeMemory {
    /// Whether objects of this size and alignment may be nodes.
    [[nodiscard]] static constexpr bool fits(std::size_t size, std::size_t alignment) noexcept {
        return size <= kLargest && alignment <= kAlignment;
    }

    /// Throws `std::bad_alloc`; nothing has changed then.
    [[nodiscard]] static void* operator new(std::size_t size) { return allocate(size); }
    static void operator delete(void* node) noexcept { free(node); }

    static constexpr std::size_t kAlignment = 16;
    static constexpr std::size_t kLargest = 120;

private:
    WEFT_API static void* allocate(std::size_t size);
    WEFT_API static void free(void* node) noexcept;
};

}  // namespace weft::detail
