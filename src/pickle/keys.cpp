#include "pickle/keys.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <random>
#include <string>
#include <unordered_set>

#include <weft/pickle/detail/endian.hpp>
#include <weft/pickle/errors.hpp>

#include "pickle/arrays.hpp"
#include "pickle/integers.hpp"
#include "pickle/node.hpp"

namespace weft::pickle::detail {

namespace {

constexpr std::size_t kMostDepth = 2000;

bool is_number(Kind kind) noexcept {
    return kind == Kind::boolean || kind == Kind::integer || kind == Kind::real;
}

bool is_whole_int64(double value) noexcept {
    return value >= -0x1p63 && value < 0x1p63 && std::trunc(value) == value;
}

bool equal_numbers(const Item& left, const Item& right) {
    if (left.kind == Kind::real && right.kind == Kind::real) return left.real == right.real;
    if (left.kind == Kind::real || right.kind == Kind::real) {
        const double real = left.kind == Kind::real ? left.real : right.real;
        const Item& whole = left.kind == Kind::real ? right : left;
        if (whole.is_big) {
            return std::isfinite(real) && std::trunc(real) == real &&
                   little_endian_of_whole(real) == whole.view();
        }
        return is_whole_int64(real) && static_cast<std::int64_t>(real) == whole.integer;
    }
    if (left.is_big || right.is_big)
        return left.is_big && right.is_big && left.view() == right.view();
    return left.integer == right.integer;
}

class Comparison {
public:
    bool equal(const Item& left, const Item& right, std::size_t depth) {
        if (is_number(left.kind) && is_number(right.kind)) return equal_numbers(left, right);
        if (is_byte_string(left.kind) && is_byte_string(right.kind)) {
            return bytes_in(left) == bytes_in(right);
        }
        if (left.kind != right.kind && !(is_set(left.kind) && is_set(right.kind))) return false;
        if (left.kind == Kind::none) return true;
        if (left.kind == Kind::text) return left.view() == right.view();
        if (left.node == right.node) return true;
        if (depth > kMostDepth) throw PickleError("values are nested too deep to be compared");
        return equal_nodes(*left.node, *right.node, depth + 1);
    }

private:
    static bool is_set(Kind kind) noexcept { return kind == Kind::set || kind == Kind::frozenset; }
    static bool is_byte_string(Kind kind) noexcept {
        return kind == Kind::bytes || kind == Kind::bytearray;
    }
    static std::string_view bytes_in(const Item& item) noexcept {
        return item.kind == Kind::bytes ? item.view() : item.node->data;
    }

    bool equal_nodes(const Node& left, const Node& right, std::size_t depth) {
        // A pair that was met before is equal, or is being compared, or made everything unequal.
        // The first few pairs are not noted: that costs more than it saves, unless much is shared.
        if (++pairs_met_ > kFewPairs && !seen_.insert(PairOf{&left, &right}).second) return true;
        switch (left.kind) {
            case Kind::dict:
                return equal_dicts(left, right, depth);
            case Kind::set:
            case Kind::frozenset:
                return equal_sets(left, right);
            case Kind::array:
                return equal_arrays(left, right);
            case Kind::object:
                return left.has_state == right.has_state && equal_items(left, right, depth) &&
                       equal_additions(left, right, depth);
            default:
                return equal_items(left, right, depth);
        }
    }
    bool equal_lists(const std::vector<Item>& left, const std::vector<Item>& right,
                     std::size_t depth) {
        if (left.size() != right.size()) return false;
        for (std::size_t i = 0; i < left.size(); ++i) {
            if (!equal(left[i], right[i], depth)) return false;
        }
        return true;
    }
    bool equal_items(const Node& left, const Node& right, std::size_t depth) {
        return equal_lists(left.items, right.items, depth);
    }
    bool equal_additions(const Node& left, const Node& right, std::size_t depth) {
        static const Additions kNone{};
        const Additions& l = left.additions ? *left.additions : kNone;
        const Additions& r = right.additions ? *right.additions : kNone;
        return equal_lists(l.items, r.items, depth) && equal_lists(l.entries, r.entries, depth);
    }
    bool equal_dicts(const Node& left, const Node& right, std::size_t depth) {
        if (left.items.size() != right.items.size()) return false;
        for (std::size_t i = 0; i < left.items.size(); i += 2) {
            const std::size_t place = find_key(right, left.items[i]);
            if (place == KeyTable::kNone ||
                !equal(left.items[i + 1], right.items[2 * place + 1], depth)) {
                return false;
            }
        }
        return true;
    }
    static bool equal_sets(const Node& left, const Node& right) {
        if (left.items.size() != right.items.size()) return false;
        for (const Item& member : left.items) {
            if (find_key(right, member) == KeyTable::kNone) return false;
        }
        return true;
    }
    static bool equal_arrays(const Node& left, const Node& right) {
        if (left.letter == right.letter && left.letter != 'f' && left.letter != 'd') {
            return left.data == right.data;
        }
        const std::size_t size = array_length(left);
        if (size != array_length(right)) return false;
        for (std::size_t i = 0; i < size; ++i) {
            Scratch of_left;
            Scratch of_right;
            if (!equal_numbers(array_item(left, i, of_left), array_item(right, i, of_right))) {
                return false;
            }
        }
        return true;
    }

    static constexpr std::size_t kFewPairs = 64;
    struct PairOf {
        const Node* left;
        const Node* right;
        bool operator==(const PairOf&) const = default;
    };
    struct HashPair {
        std::size_t operator()(const PairOf& pair) const noexcept {
            return std::hash<const void*>()(pair.left) * 31 + std::hash<const void*>()(pair.right);
        }
    };
    std::unordered_set<PairOf, HashPair> seen_;
    std::size_t pairs_met_ = 0;
};

std::uint64_t mix(std::uint64_t hash, std::uint64_t word) noexcept {
    hash = (hash ^ word) * 0x9e3779b97f4a7c15;
    return hash ^ (hash >> 29);
}

std::uint64_t seed() {
    static const std::uint64_t chosen = [] {
        std::random_device device;
        return (std::uint64_t{device()} << 32) | device();
    }();
    return chosen;
}

std::uint64_t hash_bytes(std::uint64_t salt, std::string_view raw) {
    std::uint64_t hash = mix(seed() ^ salt, raw.size());
    for (; raw.size() >= 8; raw.remove_prefix(8)) {
        hash = mix(hash, fetch<std::endian::little, std::uint64_t>(raw.data()));
    }
    std::uint64_t rest = 0;
    for (const char letter : raw) rest = (rest << 8) | static_cast<unsigned char>(letter);
    return mix(mix(hash, rest), seed());
}

std::uint64_t hash_number(const Item& item) {
    if (item.kind == Kind::real) {
        if (is_whole_int64(item.real)) {
            return mix(
                mix(seed(), static_cast<std::uint64_t>(static_cast<std::int64_t>(item.real))),
                seed());
        }
        if (std::isfinite(item.real) && std::trunc(item.real) == item.real) {
            return hash_bytes(1, little_endian_of_whole(item.real));
        }
        return mix(mix(seed() + 1, std::bit_cast<std::uint64_t>(item.real)), seed());
    }
    if (item.is_big) return hash_bytes(1, item.view());
    return mix(mix(seed(), static_cast<std::uint64_t>(item.integer)), seed());
}

/// The objects that are being hashed, outermost first: one that is met again holds itself, and goes
/// by its identity, as does what is nested too deep.
using Busy = std::vector<const Node*>;

std::optional<std::uint64_t> hash_deep(const Item& item, Busy& busy, std::size_t depth);

/// The items' hashes in their order; of a set, in any.
std::optional<std::uint64_t> hash_items(std::uint64_t salt, const std::vector<Item>& items,
                                        bool in_any_order, Busy& busy, std::size_t depth) {
    std::uint64_t hash = mix(seed() ^ salt, items.size());
    std::uint64_t sum = 0;
    for (const Item& item : items) {
        const auto of_item = hash_deep(item, busy, depth);
        if (!of_item) return std::nullopt;
        if (in_any_order) {
            sum += mix(*of_item, seed());
        } else {
            hash = mix(hash, *of_item);
        }
    }
    return mix(hash, sum);
}

std::uint64_t hash_object(const Node& node, Busy& busy, std::size_t depth) {
    const std::uint64_t identity = mix(seed() + 7, reinterpret_cast<std::uintptr_t>(&node));
    busy.push_back(&node);
    std::uint64_t hash = seed() ^ 5;
    for (const Item& part : node.items) {
        // A state is usually a dict; its entries count as they come.
        const auto of_part = part.kind == Kind::dict
                                 ? hash_items(6, part.node->items, false, busy, depth + 1)
                                 : hash_deep(part, busy, depth);
        if (!of_part) {
            busy.pop_back();
            return identity;
        }
        hash = mix(hash, *of_part);
    }
    busy.pop_back();
    return hash;
}

std::optional<std::uint64_t> hash_deep(const Item& item, Busy& busy, std::size_t depth) {
    switch (item.kind) {
        case Kind::none:
            return mix(seed() + 2, 0);
        case Kind::boolean:
        case Kind::integer:
        case Kind::real:
            return hash_number(item);
        case Kind::text:
            return hash_bytes(3, item.view());
        case Kind::bytes:
            return hash_bytes(4, item.view());
        case Kind::bytearray:
        case Kind::list:
        case Kind::dict:
        case Kind::set:
        case Kind::array:
            return std::nullopt;
        default:
            break;
    }
    const Node& node = *item.node;
    if (const std::uint64_t known = node.hash.load(std::memory_order_relaxed); known != 0) {
        return known;
    }
    if (depth > kMostDepth || std::ranges::find(busy, &node) != busy.end()) return std::nullopt;
    std::optional<std::uint64_t> hash;
    if (node.kind == Kind::object) {
        hash = hash_object(node, busy, depth + 1);
    } else {
        hash = hash_items(8 + static_cast<std::uint64_t>(node.kind), node.items,
                          node.kind == Kind::frozenset, busy, depth + 1);
    }
    if (!hash) return std::nullopt;
    const std::uint64_t result = *hash == 0 ? 1 : *hash;
    node.hash.store(result, std::memory_order_relaxed);
    return result;
}

constexpr std::size_t kFewKeys = 8;

std::size_t find_at(const Node& node, std::size_t stride, const Item& key,
                    const std::optional<std::uint64_t>& hash) {
    if (node.keys != nullptr) return node.keys->find(node.items, stride, key, *hash);
    for (std::size_t at = 0; at < node.items.size(); at += stride) {
        if (equal(node.items[at], key)) return at / stride;
    }
    return KeyTable::kNone;
}

void note_key(Node& node, std::size_t stride, std::uint64_t hash) {
    const std::size_t keys = node.items.size() / stride;
    if (node.keys != nullptr) {
        node.keys->add(hash, keys - 1);
    } else if (keys > kFewKeys) {
        auto table = std::make_unique<KeyTable>();
        for (std::size_t place = 0; place < keys; ++place) {
            table->add(*hash_of(node.items[place * stride]), place);
        }
        node.keys = std::move(table);
    }
}

}  // namespace

bool equal(const Item& left, const Item& right) {
    return Comparison().equal(left, right, 0);
}

std::optional<std::uint64_t> hash_of(const Item& item) {
    Busy busy;
    return hash_deep(item, busy, 0);
}

std::size_t KeyTable::find(const std::vector<Item>& items, std::size_t stride, const Item& key,
                           std::uint64_t hash) const {
    const std::size_t mask = slots_.size() - 1;
    for (std::size_t at = hash & mask;; at = (at + 1) & mask) {
        const Slot& slot = slots_[at];
        if (slot.place == kNone) return kNone;
        if (slot.hash == hash && equal(items[slot.place * stride], key)) return slot.place;
    }
}

void KeyTable::add(std::uint64_t hash, std::size_t place) {
    if (2 * (used_ + 1) > slots_.size()) {
        std::vector<Slot> old(slots_.empty() ? 32 : 2 * slots_.size());
        old.swap(slots_);
        for (const Slot& slot : old) {
            if (slot.place != kNone) enter(slot.hash, slot.place);
        }
    }
    enter(hash, place);
    ++used_;
}

void KeyTable::enter(std::uint64_t hash, std::size_t place) noexcept {
    const std::size_t mask = slots_.size() - 1;
    std::size_t at = hash & mask;
    while (slots_[at].place != kNone) at = (at + 1) & mask;
    slots_[at] = {hash, place};
}

std::size_t find_key(const Node& node, const Item& key) {
    const auto hash = hash_of(key);
    return hash ? find_at(node, node.kind == Kind::dict ? 2 : 1, key, hash) : KeyTable::kNone;
}

bool set_entry(Node& node, const Item& key, const Item& value) {
    const auto hash = hash_of(key);
    if (!hash) return false;
    if (const std::size_t place = find_at(node, 2, key, hash); place != KeyTable::kNone) {
        node.items[2 * place + 1] = value;
        return true;
    }
    node.items.push_back(key);
    node.items.push_back(value);
    note_key(node, 2, *hash);
    return true;
}

bool add_member(Node& node, const Item& member) {
    const auto hash = hash_of(member);
    if (!hash) return false;
    if (find_at(node, 1, member, hash) != KeyTable::kNone) return true;
    node.items.push_back(member);
    note_key(node, 1, *hash);
    return true;
}

}  // namespace weft::pickle::detail
