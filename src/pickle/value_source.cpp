#include <weft/pickle/detail/value_source.hpp>

#include <cmath>
#include <deque>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include <weft/pickle/detail/registry.hpp>

#include "detail/fmt.hpp"
#include "pickle/arrays.hpp"
#include "pickle/integers.hpp"
#include "pickle/node.hpp"

namespace weft::pickle::detail {

namespace {

constexpr std::size_t kShown = 200;         ///< bytes of a value in a message
constexpr std::size_t kOwnArenaSize = 512;  ///< of a Value that shares none, about

bool is_named(const Item& item, std::string_view module, std::string_view name) noexcept {
    return item.kind == Kind::global && item.node->items[0].view() == module &&
           item.node->items[1].view() == name;
}

bool is_of_collections(const Node& object, std::initializer_list<std::string_view> names) {
    for (const std::string_view name : names) {
        if (is_named(object.items[kCallable], "collections", name)) return true;
    }
    return false;
}

}  // namespace

/// What a read keeps until it ends.
struct ValueSource::Shared {
    using Key = std::pair<const void*, std::type_index>;
    struct Made {
        Key key;
        std::shared_ptr<void> object;
        void (*reset)(void*);
        bool is_whole;
    };
    std::vector<Made> made;
    std::map<Key, std::size_t> numbers_of_made;  ///< places in it
    std::deque<std::vector<Item>> items;         ///< that had to be put together
    std::deque<Scratch> numbers;
    const char* expected = nullptr;
    std::optional<std::size_t> expected_items;
    Item found;
};

ValueSource::ValueSource(const Value& value, const LoadOptions& options, std::size_t input_size)
    : root_(value),
      depth_left_(options.max_depth),
      copies_left_(allowance(input_size, options.max_copies)),
      allow_cycles_(options.allow_cycles),
      shared_(std::make_unique<Shared>()) {
    next_ = &root_.item_;
    limit_ = next_ + 1;
}

ValueSource::~ValueSource() {
    if (!is_kept_) forget_shared(0);
}

Kind ValueSource::peek_kind() const noexcept {
    return next_ == limit_ ? Kind::object : next_->kind;
}

bool ValueSource::take_none() noexcept {
    if (next_ == limit_ || next_->kind != Kind::none) return false;
    ++next_;
    return true;
}

bool ValueSource::load_boolean(bool& result) {
    if (next_ == limit_ || next_->kind != Kind::boolean) return fail("a bool");
    result = next_++->integer != 0;
    return true;
}

bool ValueSource::load_integer(std::int64_t& result) {
    const Item* item = peek();
    if (item == nullptr || (item->kind != Kind::integer && item->kind != Kind::boolean)) {
        return fail("an int");
    }
    if (item->is_big) return fail("an int of 64 bits");
    result = next_++->integer;
    return true;
}

bool ValueSource::load_natural(std::uint64_t& result) {
    const Item* item = peek();
    if (item == nullptr || (item->kind != Kind::integer && item->kind != Kind::boolean)) {
        return fail("an int");
    }
    if (item->is_big) {
        const auto value = as_uint64(item->view());
        if (!value) return fail("an int from 0 to 2**64 - 1");
        result = *value;
    } else {
        if (item->integer < 0) return fail("an int from 0 to 2**64 - 1");
        result = static_cast<std::uint64_t>(item->integer);
    }
    ++next_;
    return true;
}

bool ValueSource::load_wide(std::string_view& little_endian) {
    const Item* item = peek();
    if (item == nullptr || !item->is_big) return false;
    little_endian = next_++->view();
    return true;
}

bool ValueSource::load_real(double& result) {
    const Item* item = peek();
    if (item != nullptr && item->kind == Kind::real) {
        result = item->real;
    } else if (item != nullptr && (item->kind == Kind::integer || item->kind == Kind::boolean)) {
        result = item->is_big ? as_double(item->view()) : static_cast<double>(item->integer);
        if (std::isinf(result)) return fail("a number within the range of float");
    } else {
        return fail("a float");
    }
    ++next_;
    return true;
}

bool ValueSource::load_text(std::string_view& wire) {
    const Item* item = peek();
    if (item == nullptr || item->kind != Kind::text) return fail("a str");
    if (!may_copy(item->size)) return false;
    wire = next_++->view();
    return true;
}

bool ValueSource::load_bytes(std::string_view& raw) {
    const Item* item = peek();
    if (item != nullptr && item->kind == Kind::bytes) {
        raw = item->view();
    } else if (item != nullptr &&
               (item->kind == Kind::bytearray ||
                (item->kind == Kind::array && array_item_size(item->node->letter) == 1))) {
        raw = item->node->data;
    } else {
        return fail("bytes");
    }
    if (!may_copy(raw.size())) return false;
    ++next_;
    return true;
}

bool ValueSource::load_array(ArrayView& array) {
    const Item* item = peek();
    if (item == nullptr || item->kind != Kind::array) return false;
    array.letter = item->node->letter;
    array.raw = item->node->data;
    if (!may_copy(array.raw.size())) return false;
    ++next_;
    return true;
}

bool ValueSource::load_value(Value& result) {
    if (next_ == limit_) return fail("a value");
    // A big number of few bytes may come out of an array, and lies in this source then.
    if (next_->is_big && next_->size <= sizeof(Scratch)) {
        if (!may_copy(kOwnArenaSize)) return false;
        result = Value::integer(next_->view());
    } else {
        result = ValueAccess::make(*next_, root_.arena_);
    }
    ++next_;
    return true;
}

bool ValueSource::enter(const Node& node, const Item* first, std::size_t count, Frame& frame) {
    if (depth_left_ == 0) {
        offset_ = node.offset;
        return fail_with("nested deeper than LoadOptions::max_depth allows");
    }
    if (!may_copy(32 + 16 * count)) return false;
    --depth_left_;
    frame.next = next_ + 1;
    frame.limit = limit_;
    frame.node = &node;
    next_ = first;
    limit_ = first + count;
    return true;
}

void ValueSource::leave(const Frame& frame) noexcept {
    next_ = frame.next;
    limit_ = frame.limit;
    ++depth_left_;
}

bool ValueSource::begin_open_tuple(Frame& frame) {
    const Item* item = peek();
    if (item == nullptr || (item->kind != Kind::tuple && item->kind != Kind::list)) {
        return fail("a tuple");
    }
    return enter(*item->node, item->node->items.data(), item->node->items.size(), frame);
}

bool ValueSource::begin_tuple(std::size_t items, Frame& frame) {
    const Item* item = peek();
    if (item != nullptr && item->kind == Kind::array) {
        if (!begin_sequence(frame)) return false;
    } else if (!begin_open_tuple(frame)) {
        return false;
    }
    if (static_cast<std::size_t>(limit_ - next_) == items) return true;
    leave(frame);
    --next_;
    fail("a tuple");
    shared_->expected_items = items;
    return false;
}

bool ValueSource::end_tuple(std::size_t /*items*/, Frame& frame) noexcept {
    if (next_ != limit_) return false;
    leave(frame);
    return true;
}

bool ValueSource::begin_sequence(Frame& frame) {
    const Item* item = peek();
    if (item == nullptr || !item->has_node()) return fail("a list");
    const Node& node = *item->node;
    switch (item->kind) {
        case Kind::tuple:
        case Kind::list:
        case Kind::set:
        case Kind::frozenset:
            return enter(node, node.items.data(), node.items.size(), frame);
        case Kind::array: {
            const std::size_t size = array_length(node);
            if (!may_copy(sizeof(Item) * size)) return false;
            std::vector<Item>& made = shared_->items.emplace_back();
            made.reserve(size);
            Scratch scratch;
            for (std::size_t i = 0; i < size; ++i) {
                Item number = array_item(node, i, scratch);
                if (number.is_big) number.data = shared_->numbers.emplace_back(scratch).data();
                made.push_back(number);
            }
            return enter(node, made.data(), made.size(), frame);
        }
        case Kind::object:
            // deque(items) of old protocols, deque() with what was appended to it of newer ones
            if (is_of_collections(node, {"deque"})) {
                const auto& args = node.items[kArgs].node->items;
                if (node.additions != nullptr) {
                    const auto& added = node.additions->items;
                    return enter(node, added.data(), added.size(), frame);
                }
                if (args.empty() || args[0].kind == Kind::tuple)
                    return enter(node, nullptr, 0, frame);
                if (args[0].kind == Kind::list) {
                    const auto& items = args[0].node->items;
                    return enter(node, items.data(), items.size(), frame);
                }
            }
            return fail("a list");
        default:
            return fail("a list");
    }
}

bool ValueSource::begin_set(Frame& frame) {
    const Item* item = peek();
    if (item == nullptr || (item->kind != Kind::set && item->kind != Kind::frozenset)) {
        return fail("a set");
    }
    return enter(*item->node, item->node->items.data(), item->node->items.size(), frame);
}

bool ValueSource::begin_dict(Frame& frame) {
    const Item* item = peek();
    if (item == nullptr || !item->has_node()) return fail("a dict");
    const Node& node = *item->node;
    if (item->kind == Kind::dict) return enter(node, node.items.data(), node.items.size(), frame);
    if (item->kind == Kind::object &&
        is_of_collections(node, {"OrderedDict", "defaultdict", "Counter"})) {
        if (node.additions != nullptr) {
            const auto& entries = node.additions->entries;
            return enter(node, entries.data(), entries.size(), frame);
        }
        const auto& args = node.items[kArgs].node->items;
        if (args.size() == 1 && args[0].kind == Kind::dict) {
            const auto& entries = args[0].node->items;
            return enter(node, entries.data(), entries.size(), frame);
        }
        return enter(node, nullptr, 0, frame);
    }
    return fail("a dict");
}

bool ValueSource::find_entry(std::string_view name, Frame& frame) {
    for (const Item* key = next_; key != limit_; key += 2) {
        if (key->kind != Kind::text || key->view() != name) continue;
        frame.next = next_;
        frame.limit = limit_;
        next_ = key + 1;
        limit_ = key + 2;
        return true;
    }
    return false;
}

bool ValueSource::peek_class(std::string_view& module, std::string_view& name) const noexcept {
    if (next_ == limit_ || next_->kind != Kind::object) return false;
    const Item& callable = next_->node->items[kCallable];
    if (callable.kind != Kind::global) return false;
    module = callable.node->items[0].view();
    name = callable.node->items[1].view();
    return true;
}

bool ValueSource::begin_object_items(Frame& frame) {
    const Item* item = peek();
    if (item == nullptr || item->kind != Kind::object) return fail("an object");
    const Node& node = *item->node;
    const Item& state = node.items[kState];
    if (state.kind == Kind::dict) {
        std::vector<Item>& made = shared_->items.emplace_back();
        for (std::size_t i = 1; i < state.node->items.size(); i += 2) {
            made.push_back(state.node->items[i]);
        }
        return enter(node, made.data(), made.size(), frame);
    }
    const Item& source =
        state.kind == Kind::tuple || state.kind == Kind::list ? state : node.items[kArgs];
    return enter(node, source.node->items.data(), source.node->items.size(), frame);
}

bool ValueSource::begin_object_entries(Frame& frame) {
    const Item* item = peek();
    if (item == nullptr || item->kind != Kind::object) return fail("an object");
    const Node& node = *item->node;
    const Item& state = node.items[kState];
    if (state.kind == Kind::none) return enter(node, nullptr, 0, frame);
    if (state.kind == Kind::dict) {
        return enter(node, state.node->items.data(), state.node->items.size(), frame);
    }
    // A class with __slots__: (its dict or None, a dict of the slots).
    if (state.kind == Kind::tuple && state.node->items.size() == 2 &&
        state.node->items[1].kind == Kind::dict) {
        std::vector<Item>& made = shared_->items.emplace_back();
        for (const Item& half : state.node->items) {
            if (half.kind != Kind::dict) continue;
            made.insert(made.end(), half.node->items.begin(), half.node->items.end());
        }
        return enter(node, made.data(), made.size(), frame);
    }
    return fail("an object with named attributes");
}

bool ValueSource::is_object_of(const ClassEntry& entry) const noexcept {
    std::string_view module;
    std::string_view name;
    return peek_class(module, name) && module == entry.module && name == entry.qualified_name;
}

bool ValueSource::has_attributes() const noexcept {
    return next_is_object() && next_->node->items[kState].kind == Kind::dict;
}

bool ValueSource::load_timedelta(std::int64_t& days, std::int64_t& seconds,
                                 std::int64_t& microseconds) {
    std::string_view module;
    std::string_view name;
    if (!peek_class(module, name) || module != "datetime" || name != "timedelta") return false;
    const auto& args = next_->node->items[kArgs].node->items;
    if (args.size() != 3) return false;
    for (const Item& arg : args) {
        if (arg.kind != Kind::integer || arg.is_big) return false;
    }
    if (args[1].integer < 0 || args[1].integer >= 86'400 || args[2].integer < 0 ||
        args[2].integer >= 1'000'000) {
        return false;
    }
    days = args[0].integer;
    seconds = args[1].integer;
    microseconds = args[2].integer;
    ++next_;
    return true;
}

namespace {

/// What makes an object the same one when it is met again; null for numbers and the like.
const void* identity_of(const Item& item) noexcept {
    if (item.has_node()) return item.node;
    const bool is_flat = item.kind == Kind::text || item.kind == Kind::bytes;
    return is_flat && item.size > 0 ? item.data : nullptr;
}

}  // namespace

bool ValueSource::find_shared(std::type_index type, std::shared_ptr<void>& found) {
    found = nullptr;
    const void* identity = next_ == limit_ ? nullptr : identity_of(*next_);
    if (identity == nullptr) return true;
    const auto known = shared_->numbers_of_made.find({identity, type});
    if (known == shared_->numbers_of_made.end()) return true;
    const Shared::Made& made = shared_->made[known->second];
    if (!made.is_whole && !allow_cycles_) {
        return fail_with("an object that holds itself, which LoadOptions::allow_cycles refuses");
    }
    found = made.object;
    return true;
}

std::size_t ValueSource::remember_shared(std::type_index type, std::shared_ptr<void> made,
                                         void (*reset)(void*)) {
    const void* identity = next_ == limit_ ? nullptr : identity_of(*next_);
    const Shared::Key key{identity, type};
    const std::size_t number = shared_->made.size();
    shared_->made.push_back({key, std::move(made), reset, false});
    if (identity != nullptr) shared_->numbers_of_made.emplace(key, number);
    return number;
}

void ValueSource::finish_shared(std::size_t number) noexcept {
    shared_->made[number].is_whole = true;
}

std::size_t ValueSource::shared_count() const noexcept {
    return shared_->made.size();
}

void ValueSource::forget_shared(std::size_t count) noexcept {
    // All are emptied before the first is destroyed, so that no destructor goes deep.
    for (std::size_t i = count; i < shared_->made.size(); ++i) {
        const Shared::Made& made = shared_->made[i];
        if (made.key.first != nullptr) shared_->numbers_of_made.erase(made.key);
        if (made.reset != nullptr) made.reset(made.object.get());
    }
    while (shared_->made.size() > count) shared_->made.pop_back();
}

LoadOptions ValueSource::limits() const noexcept {
    LoadOptions options;
    options.max_depth = depth_left_;
    options.max_copies = copies_left_;
    options.allow_cycles = allow_cycles_;
    return options;
}

bool ValueSource::may_copy(std::size_t size) {
    if (size > copies_left_) {
        return fail_with("one object is copied again and again, beyond LoadOptions::max_copies");
    }
    copies_left_ -= size;
    return true;
}

bool ValueSource::fail(const char* expected) {
    // Put into words only when somebody asks: a variant tries several types.
    message_.clear();
    shared_->expected = expected;
    shared_->expected_items.reset();
    shared_->found = next_ == limit_ ? Item{} : *next_;
    if (shared_->found.has_node()) offset_ = shared_->found.node->offset;
    if (next_ == limit_) message_ = fmt::format("expected {}, found nothing more", expected);
    return false;
}

bool ValueSource::fail_with(std::string message) {
    message_ = std::move(message);
    return false;
}

bool ValueSource::fail_range(std::int64_t number, std::size_t size) {
    return fail_with(fmt::format("{} does not fit into a number of {} bits", number, 8 * size));
}

bool ValueSource::fail_length(std::size_t expected, std::size_t found) {
    return fail_with(fmt::format("expected {} items, found {}", expected, found));
}

bool ValueSource::fail_character(std::string_view found) {
    return fail_with(fmt::format("expected one character, found '{}'", shown(found)));
}

int ValueSource::opcode() const noexcept {
    const Arena* arena = root_.arena_.get();
    if (arena == nullptr || offset_ >= arena->input.size()) return -1;
    return static_cast<unsigned char>(arena->input[offset_]);
}

std::string ValueSource::message() const {
    if (!message_.empty() || shared_->expected == nullptr) return message_;
    const Value found = ValueAccess::make(shared_->found, root_.arena_);
    if (shared_->expected_items) {
        return fmt::format("expected {} of {}, found {}", shared_->expected,
                           *shared_->expected_items, found.repr(kShown));
    }
    return fmt::format("expected {}, found {} {}", shared_->expected, shown(found.type_name()),
                       found.repr(kShown));
}

}  // namespace weft::pickle::detail
