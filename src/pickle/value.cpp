#include <weft/pickle/value.hpp>

#include <algorithm>
#include <array>
#include <stdexcept>
#include <utility>

#include <weft/errors.hpp>
#include <weft/pickle/detail/endian.hpp>
#include <weft/pickle/detail/text.hpp>
#include <weft/pickle/functions.hpp>

#include "detail/fmt.hpp"
#include "pickle/arrays.hpp"
#include "pickle/integers.hpp"
#include "pickle/node.hpp"

namespace weft::pickle {

using detail::Arena;
using detail::ArenaRef;
using detail::Item;
using detail::Node;
using detail::ValueAccess;

namespace {

constexpr std::size_t kShown = 200;  ///< bytes of a value in a message

[[noreturn]] void throw_no(const char* what, const Value& value) {
    throw TypeError(fmt::format("{} has no {}", value.repr(kShown), what));
}

std::uint32_t depth_under(const Node& node) noexcept {
    std::uint32_t depth = 0;
    for (const Item& item : node.items) {
        if (item.has_node()) depth = std::max(depth, item.node->depth);
    }
    return depth;
}

/// For what a program compares itself: a second's work, and more where more was read.
detail::Work work_for(const Value& left, const Value& right) noexcept {
    return detail::Work(
        detail::allowance(detail::input_size_of(right),
                          detail::allowance(detail::input_size_of(left), std::size_t{1} << 28)));
}

/// A new node with its arena, which keeps all that the values point to.
class Builder {
public:
    explicit Builder(Kind kind) : arena_(new Arena), node_(arena_->add(kind)) {
        node_.is_shared = true;  // a copy of the Value may be put into something twice
    }
    Node& node() noexcept { return node_; }
    Item adopt(const Value& value) { return ValueAccess::adopt(*arena_, value); }
    /// What a program puts together itself is its own affair.
    detail::Work& work() noexcept { return work_; }
    std::string_view keep(std::string_view text) { return arena_->keep(std::string(text)); }
    Value finish() {
        node_.depth = depth_under(node_) + 1;
        arena_->forget_repeated_others();
        return ValueAccess::make(detail::item_of(node_), arena_);
    }

private:
    ArenaRef arena_;
    Node& node_;
    detail::Work work_{static_cast<std::size_t>(-1)};
};

Value make_sequence(Kind kind, const std::vector<Value>& items) {
    Builder builder(kind);
    builder.node().items.reserve(items.size());
    for (const Value& item : items) builder.node().items.push_back(builder.adopt(item));
    return builder.finish();
}

Value make_set(Kind kind, const std::vector<Value>& members) {
    Builder builder(kind);
    for (const Value& member : members) {
        if (!detail::add_member(builder.node(), builder.adopt(member), builder.work())) {
            throw TypeError(
                fmt::format("{} cannot be in a set: it has no hash", member.repr(kShown)));
        }
    }
    return builder.finish();
}

/// A text or big integer in an arena of its own.
Value make_flat(Item item, std::string text) {
    ArenaRef arena(new Arena);
    const std::string_view kept = arena->keep(std::move(text));
    item.data = kept.data();
    item.size = kept.size();
    return ValueAccess::make(item, arena);
}

const Node* node_of(const Value& value) noexcept {
    const Item& item = ValueAccess::item(value);
    return item.has_node() ? item.node : nullptr;
}

Value part(const Value& whole, const Item& item) {
    return ValueAccess::make(item, ValueAccess::arena(whole));
}

Value number_of(const Node& array, std::size_t index) {
    detail::Scratch scratch;
    const Item item = detail::array_item(array, index, scratch);
    if (item.is_big) return {*detail::as_uint64(item.view())};
    return ValueAccess::make(item, {});
}

/// A Python index as a place, checked.
std::size_t place_of(const Value& key, std::size_t size, const Value& whole) {
    const Item& item = ValueAccess::item(key);
    if (item.kind != Kind::integer || item.is_big) {
        throw TypeError(fmt::format("{} is no index of {}", key.repr(kShown), whole.repr(kShown)));
    }
    const auto length = static_cast<std::int64_t>(size);
    const std::int64_t place = item.integer < 0 ? item.integer + length : item.integer;
    if (place < 0 || place >= length) {
        throw std::out_of_range(fmt::format("index {} of {} with {} items", item.integer,
                                            detail::shown(whole.type_name()), size));
    }
    return static_cast<std::size_t>(place);
}

/// An attribute in an object's state, which is a dict, or a pair of two for a class with __slots__.
const Item* find_attribute(const Node& object, const Item& name, detail::Work& work) {
    const Item& state = object.items[detail::kState];
    const auto look = [&](const Item& dict) -> const Item* {
        if (dict.kind != Kind::dict) return nullptr;
        const std::size_t place = detail::find_key(*dict.node, name, work);
        return place == detail::KeyTable::kNone ? nullptr : &dict.node->items[2 * place + 1];
    };
    if (state.kind == Kind::tuple && state.node->items.size() == 2) {
        const Item* found = look(state.node->items[0]);
        return found != nullptr ? found : look(state.node->items[1]);
    }
    return look(state);
}

}  // namespace

Value::Value(std::string_view text) {
    Item item;
    item.kind = Kind::text;
    *this = make_flat(item, detail::is_utf8(text) ? std::string(text) : detail::escape(text));
}

Value::Value(const weft::bytes& value) {
    Item item;
    item.kind = Kind::bytes;
    *this = make_flat(item, {reinterpret_cast<const char*>(value.data()), value.size()});
}

void Value::make_natural(std::uint64_t value) {
    std::array<char, 9> raw{};
    detail::store<std::endian::little>(raw.data(), value);
    *this = integer(raw);
}

Value Value::integer(BytesView little_endian) {
    const std::string_view raw = detail::shortest(little_endian.text());
    Item item;
    item.kind = Kind::integer;
    if (const auto value = detail::as_int64(raw)) {
        item.integer = *value;
        return ValueAccess::make(item, {});
    }
    item.is_big = true;
    return make_flat(item, std::string(raw));
}

Value Value::tuple(std::vector<Value> items) {
    return make_sequence(Kind::tuple, items);
}

Value Value::list(std::vector<Value> items) {
    return make_sequence(Kind::list, items);
}

Value Value::dict(std::vector<std::pair<Value, Value>> entries) {
    Builder builder(Kind::dict);
    for (const auto& [key, value] : entries) {
        if (!detail::set_entry(builder.node(), builder.adopt(key), builder.adopt(value),
                               builder.work())) {
            throw TypeError(fmt::format("{} cannot be a key: it has no hash", key.repr(kShown)));
        }
    }
    return builder.finish();
}

Value Value::set(std::vector<Value> members) {
    return make_set(Kind::set, members);
}

Value Value::frozenset(std::vector<Value> members) {
    return make_set(Kind::frozenset, members);
}

Value Value::bytearray(BytesView value) {
    Builder builder(Kind::bytearray);
    builder.node().data = builder.keep(value.text());
    return builder.finish();
}

Value Value::global(std::string_view module, std::string_view name) {
    Builder builder(Kind::global);
    builder.node().items = {detail::item_of_text(builder.keep(module)),
                            detail::item_of_text(builder.keep(name))};
    return builder.finish();
}

Value Value::object(const Value& callable, const Value& args, const Value& state) {
    if (callable.kind() != Kind::global || args.kind() != Kind::tuple) {
        throw TypeError(fmt::format("an object is made of a global and a tuple, not of {} and {}",
                                    callable.repr(kShown), args.repr(kShown)));
    }
    Builder builder(Kind::object);
    builder.node().items = {builder.adopt(callable), builder.adopt(args), Item{},
                            builder.adopt(state)};
    builder.node().has_state = !state.is_none();
    return builder.finish();
}

std::string Value::type_name() const {
    switch (kind()) {
        case Kind::none:
            return "None";
        case Kind::boolean:
            return "bool";
        case Kind::integer:
            return "int";
        case Kind::real:
            return "float";
        case Kind::text:
            return "str";
        case Kind::bytes:
            return "bytes";
        case Kind::bytearray:
            return "bytearray";
        case Kind::tuple:
            return "tuple";
        case Kind::list:
            return "list";
        case Kind::dict:
            return "dict";
        case Kind::set:
            return "set";
        case Kind::frozenset:
            return "frozenset";
        case Kind::array:
            return "array.array";
        case Kind::global:
            return "type";
        case Kind::object:
            break;
    }
    const Value made_by = callable();
    if (made_by.kind() != Kind::global) return "object";
    return made_by.module_name() + "." + made_by.qualified_name();
}

std::size_t Value::size() const {
    switch (kind()) {
        case Kind::text:
        case Kind::bytes:
            return item_.size;
        case Kind::bytearray:
            return item_.node->data.size();
        case Kind::tuple:
        case Kind::list:
        case Kind::set:
        case Kind::frozenset:
            return item_.node->items.size();
        case Kind::dict:
            return item_.node->items.size() / 2;
        case Kind::array:
            return detail::array_length(*item_.node);
        default:
            throw_no("size", *this);
    }
}

Value Value::at(const Value& key) const {
    switch (kind()) {
        case Kind::tuple:
        case Kind::list:
            return part(*this, item_.node->items[place_of(key, size(), *this)]);
        case Kind::array:
            return number_of(*item_.node, place_of(key, size(), *this));
        case Kind::dict: {
            detail::Work work = work_for(*this, key);
            const std::size_t place = detail::find_key(*item_.node, key.item_, work);
            if (place == detail::KeyTable::kNone) throw KeyError(key.repr(kShown));
            return part(*this, item_.node->items[2 * place + 1]);
        }
        case Kind::object: {
            detail::Work work = work_for(*this, key);
            const Item* found = find_attribute(*item_.node, key.item_, work);
            if (found == nullptr) {
                throw KeyError(fmt::format("{} has no attribute {}", detail::shown(type_name()),
                                           key.repr(kShown)));
            }
            return part(*this, *found);
        }
        default:
            throw_no("parts", *this);
    }
}

bool Value::contains(const Value& key) const {
    detail::Work work = work_for(*this, key);
    switch (kind()) {
        case Kind::dict:
        case Kind::set:
        case Kind::frozenset:
            return detail::find_key(*item_.node, key.item_, work) != detail::KeyTable::kNone;
        case Kind::object:
            return find_attribute(*item_.node, key.item_, work) != nullptr;
        case Kind::tuple:
        case Kind::list:
            return std::ranges::any_of(item_.node->items, [&](const Item& item) {
                return detail::equal(item, key.item_, work);
            });
        case Kind::array:
            return std::ranges::any_of(items(), [&](const Value& v) { return v == key; });
        default:
            throw_no("parts", *this);
    }
}

std::vector<Value> Value::items() const {
    std::vector<Value> result;
    const Node* node = node_of(*this);
    switch (kind()) {
        case Kind::tuple:
        case Kind::list:
        case Kind::set:
        case Kind::frozenset:
            result.reserve(node->items.size());
            for (const Item& item : node->items) result.push_back(part(*this, item));
            return result;
        case Kind::dict:
            for (std::size_t i = 0; i < node->items.size(); i += 2) {
                result.push_back(part(*this, node->items[i]));
            }
            return result;
        case Kind::array:
            for (std::size_t i = 0; i < size(); ++i) result.push_back(number_of(*node, i));
            return result;
        default:
            throw_no("items", *this);
    }
}

std::vector<Value> Value::values() const {
    if (kind() != Kind::dict) throw_no("values", *this);
    std::vector<Value> result;
    for (std::size_t i = 1; i < item_.node->items.size(); i += 2) {
        result.push_back(part(*this, item_.node->items[i]));
    }
    return result;
}

Value Value::callable() const {
    if (kind() == Kind::global) return *this;
    if (kind() != Kind::object) throw_no("callable", *this);
    return part(*this, item_.node->items[detail::kCallable]);
}

Value Value::args() const {
    if (kind() != Kind::object) throw_no("arguments", *this);
    return part(*this, item_.node->items[detail::kArgs]);
}

Value Value::kwargs() const {
    if (kind() != Kind::object) throw_no("keyword arguments", *this);
    return part(*this, item_.node->items[detail::kKwargs]);
}

Value Value::state() const {
    if (kind() != Kind::object) throw_no("state", *this);
    return part(*this, item_.node->items[detail::kState]);
}

std::vector<Value> Value::appended() const {
    if (kind() != Kind::object) throw_no("appended items", *this);
    std::vector<Value> result;
    if (item_.node->additions == nullptr) return result;
    for (const Item& item : item_.node->additions->items) result.push_back(part(*this, item));
    return result;
}

std::vector<std::pair<Value, Value>> Value::entries() const {
    const std::vector<Item>* items = nullptr;
    if (kind() == Kind::dict) {
        items = &item_.node->items;
    } else if (kind() == Kind::object) {
        if (item_.node->additions != nullptr) items = &item_.node->additions->entries;
    } else {
        throw_no("entries", *this);
    }
    std::vector<std::pair<Value, Value>> result;
    for (std::size_t i = 0; items != nullptr && i < items->size(); i += 2) {
        result.emplace_back(part(*this, (*items)[i]), part(*this, (*items)[i + 1]));
    }
    return result;
}

std::string Value::module_name() const {
    const Value named = callable();
    if (named.kind() != Kind::global) throw_no("module", *this);
    return std::string(named.item_.node->items[0].view());
}

std::string Value::qualified_name() const {
    const Value named = callable();
    if (named.kind() != Kind::global) throw_no("name", *this);
    return std::string(named.item_.node->items[1].view());
}

bool operator==(const Value& left, const Value& right) {
    detail::Work work = work_for(left, right);
    return detail::equal(left.item_, right.item_, work);
}

}  // namespace weft::pickle
