#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include <weft/pickle/detail/item.hpp>

#include "pickle/work.hpp"

// Equality and hashing of values as Python has them, and the table behind dicts and sets.
//
// Keys are compared as Python compares them as long as their class is known: numbers, texts, bytes,
// tuples, frozensets, and a few classes of the standard library. An object of any other class goes
// by its identity, as in Python where a class does not say otherwise: so no two keys that Python
// kept apart are ever taken for one. Who looks for such a key by its parts finds it by looking at
// one key after the other.
//
// Every function takes an allowance of work and throws PickleError when that is used up, or when
// values are nested too deep to be followed.

namespace weft::pickle::detail {

/// Python's equality; objects are equal when all their parts are.
bool equal(const Item& left, const Item& right, Work& work);

/// The hash of an item that may be a key; nothing for a list, dict, set, bytearray or array, or a
/// tuple with one of them in it. Equal keys have equal hashes; what holds a NaN, which equals
/// nothing, has one that nobody else has. Keyed by chance, so that nobody can choose keys that
/// collide. The lowest bit says that something in it goes by its identity.
std::optional<std::uint64_t> hash_of(const Item& item, Work& work);
inline constexpr std::uint64_t kByIdentity = 1;

/// Whether an object is of a class that compares by its parts: dates, fractions and the like,
/// without a state.
bool compares_by_parts(const Node& object) noexcept;

/// Where each key of a node lies in its items, of which every `stride`th is a key.
class KeyTable {
public:
    static constexpr std::size_t kNone = SIZE_MAX;

    /// Enters the key at this place among the keys.
    void add(std::uint64_t hash, std::size_t place);
    /// The first place of a key with this hash that `is_same` accepts, or kNone.
    template <class IsSame>
    [[nodiscard]] std::size_t find(std::uint64_t hash, Work& work, IsSame&& is_same) const {
        const std::size_t mask = slots_.size() - 1;
        for (std::size_t at = home(hash) & mask;; at = (at + 1) & mask) {
            const Slot& slot = slots_[at];
            if (slot.place == kNone) return kNone;
            work.spend(1);
            if (slot.hash == hash && is_same(slot.place)) return slot.place;
        }
    }

private:
    struct Slot {
        std::uint64_t hash = 0;
        std::size_t place = kNone;
    };
    /// The two lowest bits say the same of many hashes.
    static std::size_t home(std::uint64_t hash) noexcept {
        return static_cast<std::size_t>(hash >> 2);
    }
    void enter(std::uint64_t hash, std::size_t place) noexcept;

    std::vector<Slot> slots_;
    std::size_t used_ = 0;
};

/// The place of a key in a dict (stride 2) or a set (stride 1), or KeyTable::kNone. Objects are
/// found by their identity, or else by their parts, in linear time.
std::size_t find_key(const Node& node, const Item& key, Work& work);
/// Sets a dict's entry; of equal keys the first stays, with the last value. False if the key has no
/// hash: then nothing was changed.
bool set_entry(Node& node, const Item& key, const Item& value, Work& work);
/// Adds a member to a set unless it is there. False as above.
bool add_member(Node& node, const Item& member, Work& work);

}  // namespace weft::pickle::detail
