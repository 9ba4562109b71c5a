#include "pickle/node.hpp"

#include <algorithm>
#include <functional>
#include <utility>

namespace weft::pickle::detail {

namespace {

constexpr std::size_t kFirstBlock = 8;
constexpr std::size_t kLargestBlock = 512;

}  // namespace

void retain(Arena* arena) noexcept {
    // Relaxed: whoever copies a share has one, so the arena cannot die meanwhile.
    arena->shares.fetch_add(1, std::memory_order_relaxed);
}

void release(Arena* arena) noexcept {
    // Release, so that all use of the arena comes before its end; acquire for the one that ends it.
    if (arena->shares.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
    // An arena may have the last share of another, and so on without end: one after the other.
    Arena* dying = arena;
    arena->next_dying = nullptr;
    while (dying != nullptr) {
        Arena* const current = std::exchange(dying, dying->next_dying);
        for (ArenaRef& other : current->others) {
            Arena* const next = other.detach();
            if (next->shares.fetch_sub(1, std::memory_order_acq_rel) != 1) continue;
            next->next_dying = std::exchange(dying, next);
        }
        delete current;
    }
}

Node& Arena::add(Kind kind, std::size_t offset) {
    if (block_used_ == block_size_) {
        const std::size_t size = std::clamp(block_size_ * 2, kFirstBlock, kLargestBlock);
        blocks_.push_back(std::make_unique<Node[]>(size));
        block_size_ = size;
        block_used_ = 0;
    }
    Node& node = blocks_.back()[block_used_++];
    node.kind = kind;
    node.offset = offset;
    return node;
}

void Arena::forget_repeated_others() {
    std::ranges::sort(others, std::less<const Arena*>(), &ArenaRef::get);
    const auto repeated = std::ranges::unique(others, std::equal_to<>(), &ArenaRef::get);
    others.erase(repeated.begin(), repeated.end());
}

std::string_view Arena::keep(std::string text) {
    return strings.emplace_back(std::move(text));
}

Item item_of(Node& node) noexcept {
    Item item;
    item.kind = node.kind;
    item.node = &node;
    return item;
}

Item item_of_text(std::string_view wire) noexcept {
    Item item;
    item.kind = Kind::text;
    item.data = wire.data();
    item.size = wire.size();
    return item;
}

Item item_of_integer(std::int64_t value) noexcept {
    Item item;
    item.kind = Kind::integer;
    item.integer = value;
    return item;
}

Value ValueAccess::make(const Item& item, const ArenaRef& arena) {
    Value value;
    value.item_ = item;
    if (item.has_node() || item.is_big || item.kind == Kind::text || item.kind == Kind::bytes) {
        value.arena_ = arena;
    }
    return value;
}

Item ValueAccess::adopt(Arena& arena, const Value& value) {
    Arena* other = value.arena_.get();
    if (other != nullptr && other != &arena &&
        (arena.others.empty() || arena.others.back().get() != other)) {
        arena.others.push_back(value.arena_);
    }
    return value.item_;
}

}  // namespace weft::pickle::detail
