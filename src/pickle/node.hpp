#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <weft/pickle/detail/item.hpp>
#include <weft/pickle/value.hpp>

#include "pickle/keys.hpp"

// What Values are made of. A pickle's values are one graph in one arena: items point to nodes and
// texts of it without owning them, so that cycles do not leak, and nothing is destroyed
// recursively.

namespace weft::pickle::detail {

/// How an object came to be, so that it can be written again in the same way.
enum class Form : unsigned char { reduce, newobj, newobj_ex };

/// What subclasses of list and dict got after they were made.
struct Additions {
    std::vector<Item> items;
    std::vector<Item> entries;  ///< keys and values in turn
};

/// How far a look at a whole graph's depth is with a node.
enum class Measured : unsigned char { no, now, yes };

struct Node {
    Kind kind = Kind::none;
    Form form = Form::reduce;
    char letter = 0;         ///< of an array
    bool is_shared = false;  ///< may be met more than once
    bool has_state = false;
    Measured measured = Measured::no;
    std::uint32_t depth = 1;  ///< with what is in it
    std::size_t offset = 0;   ///< of the opcode that made it
    std::string_view data;    ///< bytearray, array
    /// tuple, list, sets: the items; dict: keys and values in turn; global: module and name;
    /// object: what was called, args, kwargs, state.
    std::vector<Item> items;
    std::unique_ptr<KeyTable> keys;  ///< dict and sets with more than a few
    std::unique_ptr<Additions> additions;
    /// Of tuples, frozensets and names; see hashing.cpp. 0: not known yet. Relaxed: every thread
    /// that works it out gets the same, or, of what holds a NaN, one that is as good.
    mutable std::atomic<std::uint64_t> hash{0};
};

inline constexpr std::size_t kCallable = 0;
inline constexpr std::size_t kArgs = 1;
inline constexpr std::size_t kKwargs = 2;
inline constexpr std::size_t kState = 3;

struct Arena {
    std::atomic<std::size_t> shares{1};
    std::string input;                ///< what texts and bytes point into
    std::deque<std::string> strings;  ///< and those that had to be worked out
    std::vector<ArenaRef> others;     ///< that items point into
    Arena* next_dying = nullptr;      ///< see release()
    bool has_repeated_text = false;   ///< a text or bytes were met twice as one

    Node& add(Kind kind, std::size_t offset = 0);
    /// Keeps a text as long as the arena lives.
    std::string_view keep(std::string text);
    /// Keeps one share of each other arena.
    void forget_repeated_others();

private:
    std::vector<std::unique_ptr<Node[]>> blocks_;
    std::size_t block_size_ = 0;
    std::size_t block_used_ = 0;
};

Item item_of(Node& node) noexcept;
Item item_of_text(std::string_view wire) noexcept;
Item item_of_integer(std::int64_t value) noexcept;

/// A name in a message: cut, and without control characters.
std::string shown(std::string_view name);

/// The inside of a Value, for the library's own sources.
struct ValueAccess {
    static const Item& item(const Value& value) noexcept { return value.item_; }
    static const ArenaRef& arena(const Value& value) noexcept { return value.arena_; }
    static Value make(const Item& item, const ArenaRef& arena);
    /// The item, after the arena has become one that keeps what it points to.
    static Item adopt(Arena& arena, const Value& value);
};

}  // namespace weft::pickle::detail
