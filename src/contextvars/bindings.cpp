#include "contextvars/bindings.hpp"

#include <bit>
#include <new>
#include <utility>

namespace weft::contextvars::detail {

struct Binding {
    const VariableInfo* variable;
    Word value;
};

/// A leaf (level 0) holds bindings, any other node holds nodes of one level less, one for each bit
/// that is set in the map, in order. They lie behind the node.
class Node {
public:
    static constexpr unsigned kBits = 4;
    static constexpr unsigned kWidth = 1U << kBits;

    /// With room for as many as the map has bits; they are the caller's to set.
    static Node* make(unsigned level, std::uint16_t map) {
        const auto count = static_cast<std::size_t>(std::popcount(map));
        const std::size_t each = level == 0 ? sizeof(Binding) : sizeof(Node*);
        void* const memory = ::operator new(sizeof(Node) + count * each);
        return new (memory) Node(level, map);
    }
    /// Frees the node alone.
    static void free(Node* node) noexcept {
        node->~Node();
        ::operator delete(node);
    }

    [[nodiscard]] unsigned level() const noexcept { return level_; }
    [[nodiscard]] std::uint16_t map() const noexcept { return map_; }
    [[nodiscard]] std::size_t count() const noexcept {
        return static_cast<std::size_t>(std::popcount(map_));
    }
    /// How many bindings there are in and below it. Kept here so that a context is one pointer: a
    /// fork finds the old one or the new.
    [[nodiscard]] std::uint32_t size() const noexcept { return size_; }
    void set_size(std::uint32_t size) noexcept { size_ = size; }
    [[nodiscard]] Binding* bindings() noexcept { return reinterpret_cast<Binding*>(this + 1); }
    [[nodiscard]] Node** children() noexcept { return reinterpret_cast<Node**>(this + 1); }

    [[nodiscard]] std::uint16_t bit_of(std::uint32_t index) const noexcept {
        return static_cast<std::uint16_t>(1U << (index >> (level_ * kBits) & (kWidth - 1)));
    }
    [[nodiscard]] bool has(std::uint16_t bit) const noexcept { return (map_ & bit) != 0; }
    /// How many come before the one of that bit.
    [[nodiscard]] std::size_t place_of(std::uint16_t bit) const noexcept {
        const unsigned before = static_cast<unsigned>(bit) - 1U;
        const unsigned present = map_ & before;
        // Mostly all are there, and to count bits is a call where the processor may be any.
        return static_cast<std::size_t>(present == before ? std::countr_zero(bit)
                                                          : std::popcount(present));
    }

    void add_owner() noexcept { owners_.fetch_add(1, std::memory_order_relaxed); }
    /// Acquire: what the last other owner did with the node comes before what this one will do.
    [[nodiscard]] bool has_one_owner() const noexcept {
        return owners_.load(std::memory_order_acquire) == 1;
    }
    [[nodiscard]] bool drop_owner() noexcept {
        return has_one_owner() || owners_.fetch_sub(1, std::memory_order_acq_rel) == 1;
    }

private:
    Node(unsigned level, std::uint16_t map) noexcept
        : level_(static_cast<std::uint16_t>(level)), map_(map) {}

    // Aligned for what lies behind the node.
    alignas(Binding) weft::detail::Atomic<std::uint32_t> owners_{1};
    std::uint16_t level_;
    std::uint16_t map_;
    std::uint32_t size_ = 0;
};
static_assert(alignof(Node) <= __STDCPP_DEFAULT_NEW_ALIGNMENT__);

namespace {

/// The level that the root of a tree needs for an index.
unsigned level_for(std::uint32_t index) noexcept {
    const auto bits = static_cast<unsigned>(std::bit_width(index));
    return bits <= Node::kBits ? 0 : (bits - 1) / Node::kBits;
}

void drop(Node* node) noexcept {
    if (!node->drop_owner()) return;
    for (std::size_t i = 0; i < node->count(); ++i) {
        if (node->level() == 0) {
            release(*node->bindings()[i].variable, node->bindings()[i].value);
        } else {
            drop(node->children()[i]);
        }
    }
    Node::free(node);
}

/// Gives `to` shares of all that `from` holds, but for what is in the place of `bit`.
void copy_others(Node& from, Node& to, std::uint16_t bit) noexcept {
    for (unsigned i = 0; i < Node::kWidth; ++i) {
        const auto each = static_cast<std::uint16_t>(1U << i);
        if (each == bit || !from.has(each)) continue;
        if (from.level() == 0) {
            const Binding& binding = from.bindings()[from.place_of(each)];
            retain(*binding.variable, binding.value);
            to.bindings()[to.place_of(each)] = binding;
        } else {
            Node* const child = from.children()[from.place_of(each)];
            child->add_owner();
            to.children()[to.place_of(each)] = child;
        }
    }
}

/// A tree of that level with one binding.
Node* tree_of(const Binding& binding, unsigned level) {
    const std::uint32_t index = binding.variable->index;
    const auto bit_at = [index](unsigned at) {
        return static_cast<std::uint16_t>(1U << (index >> (at * Node::kBits) & (Node::kWidth - 1)));
    };
    Node* tree = Node::make(0, bit_at(0));
    tree->bindings()[0] = binding;
    tree->set_size(1);
    try {
        while (tree->level() < level) {
            Node* const above = Node::make(tree->level() + 1, bit_at(tree->level() + 1));
            above->children()[0] = tree;
            above->set_size(1);
            tree = above;
        }
    } catch (const std::bad_alloc&) {
        while (tree->level() != 0) Node::free(std::exchange(tree, tree->children()[0]));
        Node::free(tree);
        throw;
    }
    return tree;
}

// with() and without() make a tree of another. They return `node` itself where `is_own` (the caller
// has the only share of it) let them change it in place. Otherwise `node` is as it was, the caller
// gets a share of the new tree, and drops his share of the old. Values are only dropped that the
// new tree or `old` has a share of too, so that no user's code runs in here.

/// The tree with the binding, of whose value it takes over a share unless this throws. `old` gets a
/// share of the value before.
Node* with(Node* node, bool is_own, const Binding& binding, Share& old) {
    is_own = is_own && node->has_one_owner();
    const std::uint16_t bit = node->bit_of(binding.variable->index);
    const bool is_there = node->has(bit);
    const std::size_t place = node->place_of(bit);
    const auto map = static_cast<std::uint16_t>(node->map() | bit);
    if (node->level() == 0) {
        Node* const made = is_own && is_there ? node : Node::make(0, map);
        if (is_there) {
            const Word value = node->bindings()[place].value;
            if (made != node) retain(*binding.variable, value);
            old = Share(*binding.variable, value);
        }
        if (made != node) copy_others(*node, *made, bit);
        made->bindings()[made->place_of(bit)] = binding;
        made->set_size(static_cast<std::uint32_t>(made->count()));
        return made;
    }
    Node* const before = is_there ? node->children()[place] : nullptr;
    Node* const child =
        is_there ? with(before, is_own, binding, old) : tree_of(binding, node->level() - 1);
    if (child == before) {
        if (old.is_none()) node->set_size(node->size() + 1);
        return node;
    }
    const std::uint32_t size =
        node->size() - (before != nullptr ? before->size() : 0) + child->size();
    if (is_own && is_there) {
        node->children()[place] = child;
        node->set_size(size);
        drop(before);
        return node;
    }
    Node* made = nullptr;
    try {
        made = Node::make(node->level(), map);
    } catch (const std::bad_alloc&) {
        retain(*binding.variable, binding.value);
        drop(child);
        throw;
    }
    copy_others(*node, *made, bit);
    made->children()[made->place_of(bit)] = child;
    made->set_size(size);
    return made;
}

/// The tree without the variable, which is in it; null when nothing is left. `old` gets a share of
/// the value.
Node* without(Node* node, bool is_own, const VariableInfo& info, Share& old) {
    is_own = is_own && node->has_one_owner();
    const std::uint16_t bit = node->bit_of(info.index);
    const std::size_t place = node->place_of(bit);
    Node* child = nullptr;
    if (node->level() != 0) {
        Node* const before = node->children()[place];
        child = without(before, is_own, info, old);
        if (child == before) {
            node->set_size(node->size() - 1);
            return node;
        }
        if (child != nullptr && is_own) {
            node->children()[place] = child;
            node->set_size(node->size() - 1);
            drop(before);
            return node;
        }
    } else {
        const Word value = node->bindings()[place].value;
        retain(info, value);
        old = Share(info, value);
    }
    const auto map =
        child != nullptr ? node->map() : static_cast<std::uint16_t>(node->map() & ~bit);
    if (map == 0) return nullptr;
    Node* made = nullptr;
    try {
        made = Node::make(node->level(), map);
    } catch (const std::bad_alloc&) {
        if (child != nullptr) drop(child);
        throw;
    }
    copy_others(*node, *made, bit);
    if (child != nullptr) made->children()[made->place_of(bit)] = child;
    made->set_size(node->size() - 1);
    return made;
}

bool visit_all(Node* node, bool (*visit)(void*, const VariableInfo&, const Word&), void* context) {
    for (std::size_t i = 0; i < node->count(); ++i) {
        if (node->level() != 0) {
            if (!visit_all(node->children()[i], visit, context)) return false;
        } else {
            const Binding& binding = node->bindings()[i];
            if (!visit(context, *binding.variable, binding.value)) return false;
        }
    }
    return true;
}

}  // namespace

Bindings share(const Bindings& bindings) noexcept {
    if (bindings.root != nullptr) bindings.root->add_owner();
    return bindings;
}

void release(const Bindings& bindings) noexcept {
    if (bindings.root != nullptr) drop(bindings.root);
}

std::size_t size_of(const Bindings& bindings) noexcept {
    return bindings.root != nullptr ? bindings.root->size() : 0;
}

const Word* find(const Bindings& bindings, const VariableInfo& info) noexcept {
    Node* node = bindings.root;
    if (node == nullptr || level_for(info.index) > node->level()) return nullptr;
    for (;;) {
        const std::uint16_t bit = node->bit_of(info.index);
        if (!node->has(bit)) return nullptr;
        const std::size_t place = node->place_of(bit);
        if (node->level() == 0) return &node->bindings()[place].value;
        node = node->children()[place];
    }
}

namespace {

/// Where the variable's value can be changed in place: it is bound, and nobody else has a share of
/// it. Null otherwise.
Word* find_own(const Bindings& bindings, const VariableInfo& info) noexcept {
    Node* node = bindings.root;
    if (node == nullptr || level_for(info.index) > node->level()) return nullptr;
    for (;;) {
        const std::uint16_t bit = node->bit_of(info.index);
        if (!node->has_one_owner() || !node->has(bit)) return nullptr;
        const std::size_t place = node->place_of(bit);
        if (node->level() == 0) return &node->bindings()[place].value;
        node = node->children()[place];
    }
}

}  // namespace

Share assign(Bindings& bindings, const VariableInfo& info, Word value) {
    // The usual case, in one step.
    if (Word* const own = find_own(bindings, info)) return {info, std::exchange(*own, value)};
    const Binding binding{&info, value};
    const unsigned level = level_for(info.index);
    if (bindings.root == nullptr) {
        bindings.root = tree_of(binding, level);
        return {};
    }
    // A tree that is too low becomes the first child of a higher one, which holds the same.
    while (bindings.root->level() < level) {
        Node* const above = Node::make(bindings.root->level() + 1, 1);
        above->children()[0] = bindings.root;
        above->set_size(bindings.root->size());
        bindings.root = above;
    }
    Share old;
    Node* const tree = with(bindings.root, true, binding, old);
    if (tree != bindings.root) drop(std::exchange(bindings.root, tree));
    return old;
}

Share remove(Bindings& bindings, const VariableInfo& info) {
    Share old;
    Node* const tree = without(bindings.root, true, info, old);
    if (tree != bindings.root) drop(std::exchange(bindings.root, tree));
    return old;
}

bool for_each(const Bindings& bindings,
              bool (*visit)(void* context, const VariableInfo& info, const Word& value),
              void* context) {
    return bindings.root == nullptr || visit_all(bindings.root, visit, context);
}

}  // namespace weft::contextvars::detail
