#pragma once

#include <array>
#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <stop_token>
#include <type_traits>
#include <utility>

#include <weft/detail/config.hpp>
#include <weft/detail/word_queue.hpp>
#include <weft/queue/errors.hpp>
#include <weft/timeout.hpp>

namespace weft::queue {

namespace detail {

/// How an item becomes the 64-bit word that travels through the queue. Small plain items are the
/// word themselves; any other lies in a node of its own, and the word is the node's address.
template <class T>
struct Parcel {
    static constexpr bool is_inline =
        std::is_trivially_copyable_v<T> && sizeof(T) <= 8 && alignof(T) <= 8;
    static constexpr bool may_come_back = !is_inline && !std::is_nothrow_move_constructible_v<T>;

    struct NoPlace {};
    struct Node
        : std::conditional_t<may_come_back, weft::detail::WordQueue::Returned, NoPlace> {
        template <class... Args>
        explicit Node(std::in_place_t, Args&&... args) : item(std::forward<Args>(args)...) {}
        T item;
    };

    static std::uint64_t to_word(Node* node) noexcept {
        return reinterpret_cast<std::uintptr_t>(node);
    }
    static std::unique_ptr<Node> to_node(std::uint64_t word) noexcept {
        return std::unique_ptr<Node>(reinterpret_cast<Node*>(static_cast<std::uintptr_t>(word)));
    }
    static std::uint64_t to_word(const T& item) noexcept
        requires is_inline
    {
        std::uint64_t word = 0;
        std::memcpy(&word, std::addressof(item), sizeof(T));
        return word;
    }
    static T to_item(std::uint64_t word) noexcept
        requires is_inline
    {
        std::array<std::byte, sizeof(T)> bytes;
        std::memcpy(bytes.data(), &word, sizeof(T));
        return std::bit_cast<T>(bytes);
    }
};

// The calls that end in an exception are compiled once for all types.
[[noreturn]] WEFT_API void throw_empty();
WEFT_API void check_get_timeout(Timeout timeout);
/// Waits for a word; throws what the end of the wait says.
WEFT_API std::uint64_t get_word(weft::detail::WordQueue& words, Timeout timeout,
                                const std::stop_token* stop);

}  // namespace detail

template <class T>
class SimpleQueue {
    static_assert(std::is_object_v<T> && !std::is_array_v<T> &&
                      std::same_as<T, std::remove_cv_t<T>>,
                  "SimpleQueue<T> holds objects: T must not be a reference, an array, void, a "
                  "function, const or volatile.");
    static_assert(std::move_constructible<T>,
                  "SimpleQueue<T> hands items out by value: T must be movable or copyable.");

public:
    SimpleQueue() noexcept = default;
    SimpleQueue(const SimpleQueue&) = delete;
    SimpleQueue& operator=(const SimpleQueue&) = delete;

    ~SimpleQueue() {
        if constexpr (!Parcel::is_inline) {
            std::uint64_t word = 0;
            while (words_.try_pop(word)) Parcel::to_node(word).reset();
        }
    }

    [[nodiscard]] std::size_t qsize() const noexcept { return words_.size(); }
    [[nodiscard]] bool empty() const noexcept { return words_.is_empty(); }

    void put(const T& item)
        requires std::copy_constructible<T>
    {
        emplace(item);
    }
    void put(T&& item) {
        if constexpr (Parcel::is_inline) {
            words_.push(Parcel::to_word(item));
        } else {
            auto node = std::make_unique<Node>(std::in_place, std::move(item));
            try {
                words_.push(Parcel::to_word(node.get()));
            } catch (...) {
                if constexpr (std::is_nothrow_move_assignable_v<T>) item = std::move(node->item);
                throw;
            }
            static_cast<void>(node.release());
        }
    }

    template <class... Args>
        requires std::constructible_from<T, Args...>
    void emplace(Args&&... args) {
        if constexpr (Parcel::is_inline) {
            words_.push(Parcel::to_word(T(std::forward<Args>(args)...)));
        } else {
            auto node = std::make_unique<Node>(std::in_place, std::forward<Args>(args)...);
            words_.push(Parcel::to_word(node.get()));
            static_cast<void>(node.release());
        }
    }

    T get() {
        std::uint64_t word = 0;
        if (!words_.try_pop(word)) word = detail::get_word(words_, Timeout(), nullptr);
        return take_out(word);
    }
    T get(std::same_as<bool> auto block, Timeout timeout = {}) {
        if (!block) return get_nowait();
        detail::check_get_timeout(timeout);
        std::uint64_t word = 0;
        if (!words_.try_pop(word)) word = detail::get_word(words_, timeout, nullptr);
        return take_out(word);
    }
    T get_nowait() {
        std::uint64_t word = 0;
        if (!words_.try_pop(word)) detail::throw_empty();
        return take_out(word);
    }

private:
    using Parcel = detail::Parcel<T>;
    using Node = typename Parcel::Node;

    T take_out(std::uint64_t word) {
        if constexpr (Parcel::is_inline) {
            return Parcel::to_item(word);
        } else {
            std::unique_ptr<Node> node = Parcel::to_node(word);
            if constexpr (Parcel::may_come_back) {
                try {
                    return T(std::move(node->item));
                } catch (...) {
                    words_.give_back(word, *node.release());
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
