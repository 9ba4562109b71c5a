#include "pickle/keys.hpp"

#include <cmath>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "pickle/arrays.hpp"
#include "pickle/integers.hpp"
#include "pickle/node.hpp"

namespace weft::pickle::detail {

namespace {

constexpr std::size_t kMostDepth = 2000;
constexpr std::size_t kFewKeys = 8;
constexpr std::size_t kScanSteps = 64;  ///< for one key that is looked at in vain, about

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

std::size_t stride_of(const Node& node) noexcept {
    return node.kind == Kind::dict ? 2 : 1;
}

enum class Objects {
    by_identity,  ///< keys that are to be told apart
    by_parts,     ///< values that are compared
};

/// Compares two graphs.
///
/// State: the pairs of nodes that are taken to be equal, because they were found to be, or are
/// being compared further out (so whatever holds itself comes to an end, and shared parts are
/// compared once). They hold as long as all that was compared is equal; where an inequality does
/// not end everything, because another key may still fit, the pairs assumed since are given back.
class Comparison {
public:
    Comparison(Objects objects, Work& work) : objects_(objects), work_(work) {}

    bool equal(const Item& left, const Item& right, std::size_t depth) {
        work_.spend(1);
        if (is_number(left.kind) && is_number(right.kind)) {
            if (left.is_big && right.is_big) work_.spend_on(left.size);
            return equal_numbers(left, right);
        }
        if (is_byte_string(left.kind) && is_byte_string(right.kind)) {
            return equal_bytes(bytes_in(left), bytes_in(right));
        }
        if (left.kind != right.kind && !(is_set(left.kind) && is_set(right.kind))) return false;
        if (left.kind == Kind::none) return true;
        if (left.kind == Kind::text) return equal_bytes(left.view(), right.view());
        if (left.node == right.node) return true;
        if (depth > kMostDepth) throw PickleError("values are nested too deep to be compared");
        return equal_nodes(*left.node, *right.node, depth + 1);
    }

    /// The place of the key in a dict or set.
    std::size_t find(const Node& node, const Item& key, std::uint64_t hash) {
        return find_unless_used(node, key, hash, 0, nullptr, 0);
    }

private:
    static bool is_set(Kind kind) noexcept { return kind == Kind::set || kind == Kind::frozenset; }
    static bool is_byte_string(Kind kind) noexcept {
        return kind == Kind::bytes || kind == Kind::bytearray;
    }
    static std::string_view bytes_in(const Item& item) noexcept {
        return item.kind == Kind::bytes ? item.view() : item.node->data;
    }
    bool equal_bytes(std::string_view left, std::string_view right) {
        if (left.size() != right.size()) return false;
        work_.spend_on(left.size());
        return left == right;
    }

    bool equal_nodes(const Node& left, const Node& right, std::size_t depth) {
        // The first few pairs are not noted: that costs more than it saves, unless much is shared.
        if (++pairs_met_ > kFewPairs) {
            const PairOf pair{&left, &right};
            if (!assumed_.insert(pair).second) return true;
            log_.push_back(pair);
        }
        switch (left.kind) {
            case Kind::dict:
            case Kind::set:
            case Kind::frozenset:
                return equal_tables(left, right, depth);
            case Kind::array:
                return equal_arrays(left, right);
            case Kind::object:
                return equal_objects(left, right, depth);
            default:
                return equal_lists(left.items, right.items, depth);
        }
    }
    bool equal_objects(const Node& left, const Node& right, std::size_t depth) {
        if (objects_ == Objects::by_identity &&
            !(compares_by_parts(left) && compares_by_parts(right))) {
            return false;
        }
        static const Additions kNone{};
        const Additions& l = left.additions ? *left.additions : kNone;
        const Additions& r = right.additions ? *right.additions : kNone;
        return left.has_state == right.has_state && equal_lists(left.items, right.items, depth) &&
               equal_lists(l.items, r.items, depth) && equal_lists(l.entries, r.entries, depth);
    }
    bool equal_lists(const std::vector<Item>& left, const std::vector<Item>& right,
                     std::size_t depth) {
        if (left.size() != right.size()) return false;
        for (std::size_t i = 0; i < left.size(); ++i) {
            if (!equal(left[i], right[i], depth)) return false;
        }
        return true;
    }

    /// Dicts and sets: each key of one is a key of the other, with an equal value.
    bool equal_tables(const Node& left, const Node& right, std::size_t depth) {
        if (left.items.size() != right.items.size()) return false;
        const std::size_t stride = stride_of(left);
        // Of the objects that are found by their parts, several may be equal, and each counts once.
        std::vector<bool> used;
        for (std::size_t at = 0; at < left.items.size(); at += stride) {
            const Item& key = left.items[at];
            const auto hash = hash_of(key, work_);
            if (!hash) return false;
            std::vector<bool>* const of_objects = (*hash & kByIdentity) != 0 ? &used : nullptr;
            if (of_objects != nullptr && used.empty()) used.resize(right.items.size() / stride);
            const std::size_t place =
                find_unless_used(right, key, *hash, depth, of_objects, at / stride);
            if (place == KeyTable::kNone) return false;
            if (of_objects != nullptr) used[place] = true;
            if (stride == 2 && !equal(left.items[at + 1], right.items[2 * place + 1], depth)) {
                return false;
            }
        }
        return true;
    }

    std::size_t find_unless_used(const Node& node, const Item& key, std::uint64_t hash,
                                 std::size_t depth, const std::vector<bool>* used,
                                 std::size_t likely) {
        const std::size_t stride = stride_of(node);
        const auto is_same = [&](std::size_t place) {
            if (used != nullptr && (*used)[place]) return false;
            const std::size_t mark = log_.size();
            if (equal(node.items[place * stride], key, depth)) return true;
            forget(mark);
            return false;
        };
        if (node.keys != nullptr) {
            const std::size_t place = node.keys->find(hash, work_, is_same);
            if (place != KeyTable::kNone) return place;
        } else {
            for (std::size_t at = 0; at < node.items.size(); at += stride) {
                const Item& known = node.items[at];
                // Nodes remember their hashes; what is flat is compared faster than hashed.
                if (known.has_node() != key.has_node()) continue;
                if (known.has_node() && hash_of(known, work_) != hash) continue;
                if (is_same(at / stride)) return at / stride;
            }
        }
        if (objects_ == Objects::by_identity || (hash & kByIdentity) == 0) return KeyTable::kNone;
        // By its parts, from the likely place on: what is equal mostly has the same order.
        const std::size_t count = node.items.size() / stride;
        for (std::size_t i = 0, place = likely; i < count; ++i, ++place) {
            if (place >= count) place = 0;
            work_.spend(kScanSteps);
            if (node.items[place * stride].has_node() && is_same(place)) return place;
        }
        return KeyTable::kNone;
    }

    bool equal_arrays(const Node& left, const Node& right) {
        if (left.letter == right.letter && left.letter != 'f' && left.letter != 'd') {
            return equal_bytes(left.data, right.data);
        }
        const std::size_t size = array_length(left);
        if (size != array_length(right)) return false;
        work_.spend(size);
        for (std::size_t i = 0; i < size; ++i) {
            Scratch of_left;
            Scratch of_right;
            if (!equal_numbers(array_item(left, i, of_left), array_item(right, i, of_right))) {
                return false;
            }
        }
        return true;
    }

    void forget(std::size_t mark) {
        for (; log_.size() > mark; log_.pop_back()) assumed_.erase(log_.back());
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
    Objects objects_;
    Work& work_;
    std::unordered_set<PairOf, HashPair> assumed_;
    std::vector<PairOf> log_;
    std::size_t pairs_met_ = 0;
};

void note_key(Node& node, std::size_t stride, std::uint64_t hash, Work& work) {
    const std::size_t keys = node.items.size() / stride;
    if (node.keys != nullptr) {
        node.keys->add(hash, keys - 1);
    } else if (keys > kFewKeys) {
        auto table = std::make_unique<KeyTable>();
        for (std::size_t place = 0; place < keys; ++place) {
            table->add(*hash_of(node.items[place * stride], work), place);
        }
        node.keys = std::move(table);
    }
}

}  // namespace

bool equal(const Item& left, const Item& right, Work& work) {
    return Comparison(Objects::by_parts, work).equal(left, right, 0);
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
    std::size_t at = home(hash) & mask;
    while (slots_[at].place != kNone) at = (at + 1) & mask;
    slots_[at] = {hash, place};
}

std::size_t find_key(const Node& node, const Item& key, Work& work) {
    const auto hash = hash_of(key, work);
    if (!hash) return KeyTable::kNone;
    return Comparison(Objects::by_parts, work).find(node, key, *hash);
}

bool set_entry(Node& node, const Item& key, const Item& value, Work& work) {
    const auto hash = hash_of(key, work);
    if (!hash) return false;
    const std::size_t place = Comparison(Objects::by_identity, work).find(node, key, *hash);
    if (place != KeyTable::kNone) {
        node.items[2 * place + 1] = value;
        return true;
    }
    node.items.push_back(key);
    node.items.push_back(value);
    note_key(node, 2, *hash, work);
    return true;
}

bool add_member(Node& node, const Item& member, Work& work) {
    const auto hash = hash_of(member, work);
    if (!hash) return false;
    if (Comparison(Objects::by_identity, work).find(node, member, *hash) != KeyTable::kNone) {
        return true;
    }
    node.items.push_back(member);
    note_key(node, 1, *hash, work);
    return true;
}

}  // namespace weft::pickle::detail
