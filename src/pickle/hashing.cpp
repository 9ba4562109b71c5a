// The hashes of keys: SipHash-1-3 under a key that each process draws anew. Nodes remember theirs,
// so what is shared is hashed once.

#include <array>
#include <atomic>
#include <bit>
#include <cmath>
#include <random>
#include <string>
#include <string_view>
#include <utility>

#include <weft/pickle/detail/endian.hpp>

#include "pickle/integers.hpp"
#include "pickle/keys.hpp"
#include "pickle/node.hpp"

namespace weft::pickle::detail {

namespace {

constexpr std::size_t kMostDepth = 2000;

// What a node remembers as its hash besides 0, not known yet. Hashes have the bit kIsHash.
constexpr std::uint64_t kIsHash = 2;
constexpr std::uint64_t kHasNone = 1;

/// What a hash is of, so that a text and the same bytes differ.
enum class Salt : std::uint64_t { number, big, text, bytes, none, nan, identity, items };

struct Secret {
    std::uint64_t first;
    std::uint64_t second;
};

const Secret& secret() {
    static const Secret chosen = [] {
        std::random_device device;
        const auto draw = [&] { return (std::uint64_t{device()} << 32) | device(); };
        return Secret{draw(), draw()};
    }();
    return chosen;
}

/// SipHash with one round for a word and three at the end, fed with whole words.
class Sip {
public:
    explicit Sip(Salt salt) {
        const Secret& key = secret();
        v_ = {key.first ^ 0x736f6d6570736575, key.second ^ 0x646f72616e646f6d,
              key.first ^ 0x6c7967656e657261, key.second ^ 0x7465646279746573};
        word(static_cast<std::uint64_t>(salt));
    }
    void word(std::uint64_t value) noexcept {
        v_[3] ^= value;
        round();
        v_[0] ^= value;
    }
    void bytes(std::string_view raw) noexcept {
        const std::uint64_t size = raw.size();
        for (; raw.size() >= 8; raw.remove_prefix(8)) {
            word(fetch<std::endian::little, std::uint64_t>(raw.data()));
        }
        std::uint64_t rest = size << 56;
        for (std::size_t i = 0; i < raw.size(); ++i) {
            rest |= std::uint64_t{static_cast<unsigned char>(raw[i])} << (8 * i);
        }
        word(rest);
    }
    /// A hash that goes by what was fed alone, or by somebody's identity.
    [[nodiscard]] std::uint64_t finish(bool by_identity = false) noexcept {
        v_[2] ^= 0xff;
        for (int i = 0; i < 3; ++i) round();
        const std::uint64_t hash = v_[0] ^ v_[1] ^ v_[2] ^ v_[3];
        return (hash & ~kByIdentity) | kIsHash | (by_identity ? kByIdentity : 0);
    }

private:
    void round() noexcept {
        v_[0] += v_[1];
        v_[1] = std::rotl(v_[1], 13) ^ v_[0];
        v_[0] = std::rotl(v_[0], 32);
        v_[2] += v_[3];
        v_[3] = std::rotl(v_[3], 16) ^ v_[2];
        v_[0] += v_[3];
        v_[3] = std::rotl(v_[3], 21) ^ v_[0];
        v_[2] += v_[1];
        v_[1] = std::rotl(v_[1], 17) ^ v_[2];
        v_[2] = std::rotl(v_[2], 32);
    }

    std::array<std::uint64_t, 4> v_{};
};

std::uint64_t hash_of_bytes(Salt salt, std::string_view raw) {
    Sip sip(salt);
    sip.bytes(raw);
    return sip.finish();
}

std::uint64_t hash_of_whole(std::int64_t value) {
    Sip sip(Salt::number);
    sip.word(static_cast<std::uint64_t>(value));
    return sip.finish();
}

/// A NaN equals nothing, so it must not lie where another has to be compared with it.
std::uint64_t hash_of_nan() {
    static std::atomic<std::uint64_t> met{0};
    Sip sip(Salt::nan);
    sip.word(met.fetch_add(1, std::memory_order_relaxed));  // only to differ from the others
    return sip.finish();
}

std::uint64_t hash_of_real(double value) {
    if (std::isnan(value)) return hash_of_nan();
    if (std::trunc(value) == value && std::isfinite(value)) {
        // As the integer that equals it.
        if (value >= -0x1p63 && value < 0x1p63) {
            return hash_of_whole(static_cast<std::int64_t>(value));
        }
        return hash_of_bytes(Salt::big, little_endian_of_whole(value));
    }
    Sip sip(Salt::number);
    sip.word(std::bit_cast<std::uint64_t>(value));
    sip.word(1);  // no integer
    return sip.finish();
}

class Hasher {
public:
    explicit Hasher(Work& work) : work_(work) {}

    std::optional<std::uint64_t> hash(const Item& item, std::size_t depth) {
        work_.spend(1);
        switch (item.kind) {
            case Kind::none:
                return Sip(Salt::none).finish();
            case Kind::boolean:
            case Kind::integer:
                return item.is_big ? of_bytes(Salt::big, item.view()) : hash_of_whole(item.integer);
            case Kind::real:
                return hash_of_real(item.real);
            case Kind::text:
                return of_bytes(Salt::text, item.view());
            case Kind::bytes:
                return of_bytes(Salt::bytes, item.view());
            case Kind::bytearray:
            case Kind::list:
            case Kind::dict:
            case Kind::set:
            case Kind::array:
                return std::nullopt;
            default:
                return of_node(*item.node, depth);
        }
    }

private:
    std::uint64_t of_bytes(Salt salt, std::string_view raw) {
        work_.spend_on(raw.size());
        return hash_of_bytes(salt, raw);
    }

    std::optional<std::uint64_t> of_node(const Node& node, std::size_t depth) {
        if (node.kind == Kind::object) return of_object(node, depth);
        const std::uint64_t known = node.hash.load(std::memory_order_relaxed);
        if (known == kHasNone) return std::nullopt;
        if (known != 0) return known;
        if (depth > kMostDepth) throw PickleError("a key is nested too deep to be hashed");
        const std::optional<std::uint64_t> result = of_items(node, depth + 1);
        node.hash.store(result.value_or(kHasNone), std::memory_order_relaxed);
        return result;
    }

    /// Not remembered: it may get a state yet, and its arguments remember theirs.
    std::uint64_t of_object(const Node& node, std::size_t depth) {
        if (compares_by_parts(node)) {
            if (const auto of_args = hash(node.items[kArgs], depth)) {
                const Node& name = *node.items[kCallable].node;
                Sip sip(Salt::items);
                sip.bytes(name.items[0].view());
                sip.bytes(name.items[1].view());
                sip.word(*of_args);
                return sip.finish((*of_args & kByIdentity) != 0);
            }
        }
        Sip sip(Salt::identity);
        sip.word(reinterpret_cast<std::uintptr_t>(&node));
        return sip.finish(true);
    }

    /// The items' hashes in their order; of a frozenset, in any.
    std::optional<std::uint64_t> of_items(const Node& node, std::size_t depth) {
        Sip sip(Salt::items);
        sip.word(static_cast<std::uint64_t>(node.kind));
        std::uint64_t sum = 0;
        bool by_identity = false;
        for (const Item& item : node.items) {
            const auto of_item = hash(item, depth);
            if (!of_item) return std::nullopt;
            by_identity = by_identity || (*of_item & kByIdentity) != 0;
            if (node.kind == Kind::frozenset) {
                sum += *of_item;
            } else {
                sip.word(*of_item);
            }
        }
        sip.word(node.items.size());
        sip.word(sum);
        return sip.finish(by_identity);
    }

    Work& work_;
};

/// Classes whose objects are equal when they were made with equal arguments, and only then, but
/// for different spellings of one number.
constexpr std::pair<std::string_view, std::string_view> kComparing[] = {
    {"builtins", "complex"},  {"builtins", "range"},     {"builtins", "slice"},
    {"datetime", "date"},     {"datetime", "datetime"},  {"datetime", "time"},
    {"datetime", "timezone"}, {"datetime", "timedelta"}, {"decimal", "Decimal"},
    {"fractions", "Fraction"}};

}  // namespace

bool compares_by_parts(const Node& object) noexcept {
    const Item& callable = object.items[kCallable];
    if (object.has_state || object.additions != nullptr || callable.kind != Kind::global ||
        object.items[kKwargs].kind != Kind::none) {
        return false;
    }
    const std::pair name{callable.node->items[0].view(), callable.node->items[1].view()};
    for (const auto& known : kComparing) {
        if (known != name) continue;
        if (name.first != "decimal") return true;
        // Decimal('NaN') equals nothing.
        const auto& args = object.items[kArgs].node->items;
        return args.size() == 1 && args[0].kind == Kind::text &&
               args[0].view().find_first_of("aA") == std::string_view::npos;
    }
    return false;
}

std::optional<std::uint64_t> hash_of(const Item& item, Work& work) {
    return Hasher(work).hash(item, 0);
}

}  // namespace weft::pickle::detail
