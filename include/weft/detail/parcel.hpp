#pragma once

#include <array>
#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <type_traits>
#include <utility>

#include <weft/detail/node_memory.hpp>
#include <weft/detail/word_queue.hpp>

namespace weft::detail {

/// How an item becomes the 64-bit word that travels through the queue. Small plain items are the
/// word themselves; any other lies in a node of its own, and the word is the node's address.
template <class T>
struct Parcel {
    static constexpr bool is_inline =
        std::is_trivially_copyable_v<T> && sizeof(T) <= 8 && alignof(T) <= 8;
    static constexpr bool may_come_back = !is_inline && !std::is_nothrow_move_constructible_v<T>;

    struct NoPlace {};
    struct OrdinaryMemory {};
    using Place = std::conditional_t<may_come_back, WordQueue::Returned, NoPlace>;
    struct Shape : Place {
        alignas(T) std::byte item[sizeof(T)];
    };
    using Memory = std::conditional_t<NodeMemory::fits(sizeof(Shape), alignof(Shape)), NodeMemory,
                                      OrdinaryMemory>;

    struct Node : Place, Memory {
        template <class... Args>
        explicit Node(std::in_place_t, Args&&... args) : item(std::forward<Args>(args)...) {}
        T item;
    };

    static std::uint64_t word_of(Node& node) noexcept {
        static_assert(std::same_as<Memory, OrdinaryMemory> ||
                      NodeMemory::fits(sizeof(Node), alignof(Node)));
        return reinterpret_cast<std::uintptr_t>(&node);
    }
    static std::unique_ptr<Node> node_of(std::uint64_t word) noexcept {
        return std::unique_ptr<Node>(reinterpret_cast<Node*>(static_cast<std::uintptr_t>(word)));
    }
    /// Where a word that may come back keeps its place.
    static WordQueue::Returned& place_of(std::uint64_t word) noexcept
        requires may_come_back
    {
        return *reinterpret_cast<Node*>(static_cast<std::uintptr_t>(word));
    }
    /// The item behind a word that stays where it is.
    static const T& item_of(std::uint64_t word) noexcept
        requires(!is_inline)
    {
        return reinterpret_cast<Node*>(static_cast<std::uintptr_t>(word))->item;
    }
    static std::uint64_t pack(const T& item) noexcept
        requires is_inline
    {
        std::uint64_t word = 0;
        std::memcpy(&word, std::addressof(item), sizeof(T));
        return word;
    }
    static T unpack(std::uint64_t word) noexcept
        requires is_inline
    {
        std::array<std::byte, sizeof(T)> bytes;
        std::memcpy(bytes.data(), &word, sizeof(T));
        return std::bit_cast<T>(bytes);
    }
};

}  // namespace weft::detail
