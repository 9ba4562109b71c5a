#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include <weft/pickle/detail/item.hpp>

// Equality and hashing of values as Python has them, and the table behind dicts and sets.

namespace weft::pickle::detail {

/// Python's equality. Linear in the size of what is compared, also where parts are shared or
/// contain themselves. Throws PickleError beyond the depth limit of what may be loaded by default.
bool equal(const Item& left, const Item& right);

/// The hash of an item that may be a key; nothing for a list, dict, set, bytearray or array, or a
/// tuple with one of them in it. Equal items have equal hashes. Keyed by chance, so that nobody can
/// choose keys that collide. Objects with parts that have no hash go by their identity.
std::optional<std::uint64_t> hash_of(const Item& item);

/// Where each key of a node lies in its items, of which every `stride`th is a key.
class KeyTable {
public:
    static constexpr std::size_t kNone = SIZE_MAX;

    /// The place among the keys of one that equals `key`, or kNone.
    [[nodiscard]] std::size_t find(const std::vector<Item>& items, std::size_t stride,
                                   const Item& key, std::uint64_t hash) const;
    /// Enters the key at this place among the keys.
    void add(std::uint64_t hash, std::size_t place);

private:
    struct Slot {
        std::uint64_t hash = 0;
        std::size_t place = kNone;
    };
    void enter(std::uint64_t hash, std::size_t place) noexcept;

    std::vector<Slot> slots_;
    std::size_t used_ = 0;
};

/// The place of a key in a dict (stride 2) or a set (stride 1), or KeyTable::kNone.
std::size_t find_key(const Node& node, const Item& key);
/// Sets a dict's entry; of equal keys the first stays, with the last value. False if the key has no
/// hash: then nothing was changed.
bool set_entry(Node& node, const Item& key, const Item& value);
/// Adds a member to a set unless it is there. False as above.
bool add_member(Node& node, const Item& member);

}  // namespace weft::pickle::detail
