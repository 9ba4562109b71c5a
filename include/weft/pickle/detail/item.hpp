#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

#include <weft/detail/config.hpp>

namespace weft::pickle {

/// What a Value can be.
enum class Kind : unsigned char {
    none,
    boolean,
    integer,
    real,
    text,
    bytes,
    bytearray,
    tuple,
    list,
    dict,
    set,
    frozenset,
    array,   ///< array.array: numbers of one type
    global,  ///< a class or function, by name; never called
    object,  ///< what a class or function that Weft does not know would have made
};

namespace detail {

struct Node;

/// One value of a graph that an Arena holds. Plain data: it does not keep the arena.
struct Item {
    Kind kind = Kind::none;
    bool is_big = false;   ///< an integer beyond 64 bits: `data` and `size` hold its bytes
    std::size_t size = 0;  ///< of `data`
    union {
        std::int64_t integer = 0;  ///< and boolean
        double real;
        const char* data;  ///< text, bytes, big integer (little-endian two's complement)
        Node* node;        ///< everything else
    };

    [[nodiscard]] bool has_node() const noexcept { return kind >= Kind::bytearray; }
    [[nodiscard]] std::string_view view() const noexcept { return {data, size}; }
};

struct Arena;
WEFT_API void retain(Arena* arena) noexcept;
WEFT_API void release(Arena* arena) noexcept;

/// One share in an arena, which dies with the last.
class ArenaRef {
public:
    ArenaRef() = default;
    explicit ArenaRef(Arena* adopted) noexcept : arena_(adopted) {}
    ArenaRef(const ArenaRef& other) noexcept : arena_(other.arena_) {
        if (arena_ != nullptr) retain(arena_);
    }
    ArenaRef(ArenaRef&& other) noexcept : arena_(std::exchange(other.arena_, nullptr)) {}
    ArenaRef& operator=(ArenaRef other) noexcept {
        std::swap(arena_, other.arena_);
        return *this;
    }
    ~ArenaRef() {
        if (arena_ != nullptr) release(arena_);
    }

    [[nodiscard]] Arena* get() const noexcept { return arena_; }
    /// The arena with the share, which the caller has now.
    [[nodiscard]] Arena* detach() noexcept { return std::exchange(arena_, nullptr); }
    Arena& operator*() const noexcept { return *arena_; }
    Arena* operator->() const noexcept { return arena_; }

private:
    Arena* arena_ = nullptr;
};

}  // namespace detail

}  // namespace weft::pickle
