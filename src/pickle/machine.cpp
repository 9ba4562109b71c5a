#include "pickle/machine.hpp"

#include <algorithm>
#include <bit>

#include <weft/pickle/detail/endian.hpp>
#include <weft/pickle/errors.hpp>

#include "detail/fmt.hpp"

namespace weft::pickle::detail {

namespace {

/// The parts of a node one after the other; null behind the last.
const Item* part_of(const Node& node, std::size_t place) noexcept {
    if (place < node.items.size()) return &node.items[place];
    if (node.additions == nullptr) return nullptr;
    place -= node.items.size();
    const Additions& added = *node.additions;
    if (place < added.items.size()) return &added.items[place];
    place -= added.items.size();
    return place < added.entries.size() ? &added.entries[place] : nullptr;
}

}  // namespace

Machine::Machine(Arena& arena, const LoadOptions& options)
    : arena_(arena),
      options_(options),
      input_(arena.input),
      copies_left_(allowance(arena.input.size(), options.max_copies)),
      work_(allowance(arena.input.size(), options.max_key_steps)) {}

void Machine::fail(const std::string& what) const {
    throw UnpicklingError(what, offset_, opcode_);
}

Item Machine::run() {
    try {
        return run_steps();
    } catch (const UnpicklingError&) {
        throw;
    } catch (const PickleError& error) {
        fail(error.what());  // keys that are nested too deep, or take too long
    }
}

Item Machine::run_steps() {
    for (;;) {
        offset_ = next_;
        if (next_ == input_.size()) {
            opcode_ = -1;
            fail(input_.empty() ? "no bytes at all" : "the pickle ends without STOP");
        }
        opcode_ = static_cast<unsigned char>(input_[next_++]);
        const auto code = static_cast<Opcode>(opcode_);
        if (code == Opcode::stop) {
            const Item result = pop();
            if (may_be_deep_) measure(result);
            if (buffers_taken_ < options_.buffers.size()) {
                fail(fmt::format("{} buffers are used, {} were given (LoadOptions::buffers)",
                                 buffers_taken_, options_.buffers.size()));
            }
            return result;
        }
        if (!step(code)) fail("no such opcode, or one that Weft refuses");
    }
}

bool Machine::step(Opcode code) {
    switch (code) {
        case Opcode::proto:
            protocol_ = take_number<std::uint8_t>();
            if (protocol_ > HIGHEST_PROTOCOL) {
                fail(fmt::format("protocol {}: 0 to {} are read", protocol_, HIGHEST_PROTOCOL));
            }
            return true;
        case Opcode::frame: {
            const auto size = take_number<std::uint64_t>();
            if (size > input_.size() - next_) {
                fail(fmt::format("a frame of {} bytes, with {} left", size, input_.size() - next_));
            }
            return true;
        }
        case Opcode::mark:
            marks_.push_back(stack_.size());
            return true;
        case Opcode::pop:
            // As in Python: right behind a mark it takes the mark.
            if (!marks_.empty() && marks_.back() == stack_.size()) {
                marks_.pop_back();
            } else {
                pop();
            }
            return true;
        case Opcode::pop_mark:
            stack_.resize(pop_mark());
            return true;
        case Opcode::dup: {
            const Item copy = top();
            if (copy.has_node()) copy.node->is_shared = true;
            push(copy);
            return true;
        }
        case Opcode::memoize:
            put(memoized_);
            return true;
        case Opcode::binput:
            put(take_number<std::uint8_t>());
            return true;
        case Opcode::long_binput:
            put(take_number<std::uint32_t>());
            return true;
        case Opcode::binget:
            get(take_number<std::uint8_t>());
            return true;
        case Opcode::long_binget:
            get(take_number<std::uint32_t>());
            return true;
        default:
            return step_values(code) || step_containers(code) || step_objects(code) ||
                   step_old(code);
    }
}

bool Machine::step_values(Opcode code) {
    switch (code) {
        case Opcode::none:
            push({});
            return true;
        case Opcode::newtrue:
        case Opcode::newfalse: {
            Item item;
            item.kind = Kind::boolean;
            item.integer = code == Opcode::newtrue ? 1 : 0;
            push(item);
            return true;
        }
        case Opcode::binint1:
            push(item_of_integer(take_number<std::uint8_t>()));
            return true;
        case Opcode::binint2:
            push(item_of_integer(take_number<std::uint16_t>()));
            return true;
        case Opcode::binint:
            push(item_of_integer(static_cast<std::int32_t>(take_number<std::uint32_t>())));
            return true;
        case Opcode::long1:
            push_integer(take_sized(1));
            return true;
        case Opcode::long4: {
            const auto size = static_cast<std::int32_t>(take_number<std::uint32_t>());
            if (size < 0) fail(fmt::format("an integer of {} bytes", size));
            push_integer(take(static_cast<std::size_t>(size)));
            return true;
        }
        case Opcode::binfloat:
            push_real(
                std::bit_cast<double>(fetch<std::endian::big, std::uint64_t>(take(8).data())));
            return true;
        case Opcode::short_binunicode:
            push_text(take_sized(1));
            return true;
        case Opcode::binunicode:
            push_text(take_sized(4));
            return true;
        case Opcode::binunicode8:
            push_text(take_sized(8));
            return true;
        case Opcode::short_binbytes:
            push_bytes(take_sized(1));
            return true;
        case Opcode::binbytes:
            push_bytes(take_sized(4));
            return true;
        case Opcode::binbytes8:
            push_bytes(take_sized(8));
            return true;
        case Opcode::bytearray8: {
            const std::string_view raw = take_sized(8);
            make(Kind::bytearray).data = raw;
            return true;
        }
        case Opcode::next_buffer:
            push_buffer();
            return true;
        case Opcode::readonly_buffer:
            top();
            return true;
        default:
            return false;
    }
}

bool Machine::step_containers(Opcode code) {
    switch (code) {
        case Opcode::empty_tuple:
            push_tuple(stack_.size());
            return true;
        case Opcode::tuple1:
        case Opcode::tuple2:
        case Opcode::tuple3: {
            const std::size_t items = static_cast<std::size_t>(opcode_) - 0x84;
            const std::size_t floor = marks_.empty() ? 0 : marks_.back();
            if (stack_.size() - floor < items) fail("fewer items on the stack than the tuple has");
            push_tuple(stack_.size() - items);
            return true;
        }
        case Opcode::tuple:
            push_tuple(pop_mark());
            return true;
        case Opcode::empty_list:
            make(Kind::list);
            return true;
        case Opcode::empty_dict:
            make(Kind::dict);
            return true;
        case Opcode::empty_set:
            make(Kind::set);
            return true;
        case Opcode::list:
            push_items(Kind::list, pop_mark());
            return true;
        case Opcode::dict:
            push_items(Kind::dict, pop_mark());
            return true;
        case Opcode::frozenset:
            push_items(Kind::frozenset, pop_mark());
            return true;
        case Opcode::append: {
            const Item item = pop();
            push(item);
            append(stack_.size() - 1);
            return true;
        }
        case Opcode::appends:
            append(pop_mark());
            return true;
        case Opcode::setitem: {
            const Item value = pop();
            const Item key = pop();
            push(key);
            push(value);
            set_items(stack_.size() - 2);
            return true;
        }
        case Opcode::setitems:
            set_items(pop_mark());
            return true;
        case Opcode::additems:
            add_items(pop_mark());
            return true;
        default:
            return false;
    }
}

bool Machine::step_objects(Opcode code) {
    switch (code) {
        case Opcode::global: {
            const std::string_view module = take_line();
            push_global(module, take_line());
            return true;
        }
        case Opcode::stack_global: {
            const Item name = pop();
            const Item module = pop();
            if (name.kind != Kind::text || module.kind != Kind::text) {
                fail("a name that is no str");
            }
            push_global(module.view(), name.view());
            return true;
        }
        case Opcode::reduce:
            reduce();
            return true;
        case Opcode::build:
            build();
            return true;
        case Opcode::newobj: {
            const Item args = pop();
            const Item callable = pop();
            new_object(callable, args, {}, Form::newobj);
            return true;
        }
        case Opcode::newobj_ex: {
            const Item kwargs = pop();
            const Item args = pop();
            const Item callable = pop();
            if (kwargs.kind != Kind::dict) fail("keyword arguments that are no dict");
            new_object(callable, args, kwargs, Form::newobj_ex);
            return true;
        }
        case Opcode::inst: {
            const std::string_view module = take_line();
            const std::string_view name = take_line();
            push_tuple(pop_mark());
            const Item args = pop();
            push_global(module, name);
            const Item callable = pop();
            new_object(callable, args, {}, Form::reduce);
            return true;
        }
        case Opcode::obj: {
            const std::size_t first = pop_mark();
            if (first == stack_.size()) fail("no class in front of its arguments");
            const Item callable = stack_[first];
            push_tuple(first + 1);
            const Item args = pop();
            pop();
            new_object(callable, args, {}, Form::reduce);
            return true;
        }
        case Opcode::persid:
        case Opcode::binpersid:
            fail("a reference to something outside of the pickle");
        case Opcode::ext1:
        case Opcode::ext2:
        case Opcode::ext4:
            fail("a name from the reader's table of extensions, which is empty");
        default:
            return false;
    }
}

bool Machine::step_old(Opcode code) {
    switch (code) {
        case Opcode::int_text:
            push_int_line(take_line());
            return true;
        case Opcode::long_text: {
            std::string_view line = take_line();
            if (!line.empty() && line.back() == 'L') line.remove_suffix(1);
            push_int_line(line);
            return true;
        }
        case Opcode::float_text:
            push_float_line(take_line());
            return true;
        case Opcode::string_text:
            push_quoted_line(take_line());
            return true;
        case Opcode::unicode_text:
            push_escaped_line(take_line());
            return true;
        case Opcode::binstring: {
            const auto size = static_cast<std::int32_t>(take_number<std::uint32_t>());
            if (size < 0) fail(fmt::format("a string of {} bytes", size));
            push_old_bytes(take(static_cast<std::size_t>(size)));
            return true;
        }
        case Opcode::short_binstring:
            push_old_bytes(take_sized(1));
            return true;
        case Opcode::put:
        case Opcode::get: {
            const std::string_view line = take_line();
            std::uint64_t number = 0;
            if (line.empty() || line.size() > 18) fail("a memo number that is none");
            for (const char digit : line) {
                if (digit < '0' || digit > '9') fail("a memo number that is none");
                number = number * 10 + static_cast<unsigned>(digit - '0');
            }
            if (code == Opcode::put) {
                put(number);
            } else {
                get(number);
            }
            return true;
        }
        default:
            return false;
    }
}

Item Machine::pop() {
    const Item item = top();
    stack_.pop_back();
    return item;
}

Item& Machine::top() {
    const std::size_t floor = marks_.empty() ? 0 : marks_.back();
    if (stack_.size() <= floor) {
        fail(floor == 0 ? "nothing is on the stack" : "a mark where a value is needed");
    }
    return stack_.back();
}

std::size_t Machine::pop_mark() {
    if (marks_.empty()) fail("no mark on the stack");
    const std::size_t place = marks_.back();
    marks_.pop_back();
    return place;
}

void Machine::put(std::uint64_t number) {
    const Item item = top();
    // A number far ahead must not make the table grow to it.
    if (number > memo_.size()) {
        if (far_memo_.insert_or_assign(number, item).second) ++memoized_;
        return;
    }
    if (number < memo_.size()) {
        memo_[number] = item;
        return;
    }
    memo_.push_back(item);
    // MEMOIZE takes the number of those that are taken, as in Python: one taken again is one.
    if (far_memo_.empty() || far_memo_.erase(number) == 0) ++memoized_;
}

void Machine::get(std::uint64_t number) {
    Item item;
    if (const auto far = far_memo_.find(number); far != far_memo_.end()) {
        item = far->second;
    } else if (number < memo_.size()) {
        item = memo_[number];
    } else {
        fail(fmt::format("nothing was put into the memo under {}", number));
    }
    if (item.has_node()) item.node->is_shared = true;
    if (item.kind == Kind::text || item.kind == Kind::bytes) arena_.has_repeated_text = true;
    push(item);
}

std::string_view Machine::take(std::size_t size) {
    if (size > input_.size() - next_) {
        fail(fmt::format("{} bytes announced, {} left", size, input_.size() - next_));
    }
    const std::string_view taken = input_.substr(next_, size);
    next_ += size;
    return taken;
}

std::string_view Machine::take_line() {
    const std::size_t end = input_.find('\n', next_);
    if (end == std::string_view::npos) fail("the line does not end");
    const std::string_view line = input_.substr(next_, end - next_);
    next_ = end + 1;
    return line;
}

template <class Unsigned>
Unsigned Machine::take_number() {
    return fetch<std::endian::little, Unsigned>(take(sizeof(Unsigned)).data());
}

std::string_view Machine::take_sized(std::size_t width) {
    std::uint64_t size = 0;
    const std::string_view raw = take(width);
    for (std::size_t i = width; i-- > 0;) size = (size << 8) | static_cast<unsigned char>(raw[i]);
    if (size > input_.size() - next_) {
        fail(fmt::format("{} bytes announced, {} left", size, input_.size() - next_));
    }
    return take(static_cast<std::size_t>(size));
}

Node& Machine::make(Kind kind) {
    Node& node = arena_.add(kind, offset_);
    push(item_of(node));
    return node;
}

void Machine::charge(std::size_t size) {
    if (size > copies_left_) {
        fail("one object is copied again and again, beyond LoadOptions::max_copies");
    }
    copies_left_ -= size;
}

void Machine::deepen(Node& outer, const Item& inner) {
    if (!inner.has_node()) return;
    const std::uint32_t depth = inner.node->depth + 1;
    if (depth <= outer.depth) return;
    // What holds itself gets no deeper by it.
    if (inner.node == &outer) return;
    if (depth > options_.max_depth) fail_depth();
    outer.depth = depth;
    // What was fetched from the memo may be in something, which does not learn of this.
    may_be_deep_ = may_be_deep_ || outer.is_shared;
}

void Machine::fail_depth() const {
    fail(fmt::format("nested deeper than {} (LoadOptions::max_depth)", options_.max_depth));
}

void Machine::measure(const Item& root) {
    if (!root.has_node()) return;
    // In the order in which the graph would be written; what leads back to where we are adds
    // nothing. A node's depth is right when it is left.
    struct Step {
        Node* node;
        std::size_t next;
    };
    std::vector<Step> path;
    const auto enter = [&](Node& node) {
        node.measured = Measured::now;
        node.depth = 1;
        path.push_back({&node, 0});
    };
    enter(*root.node);
    while (!path.empty()) {
        Node& node = *path.back().node;
        const Item* const part = part_of(node, path.back().next++);
        if (part == nullptr) {
            node.measured = Measured::yes;
            path.pop_back();
            if (!path.empty()) {
                std::uint32_t& outer = path.back().node->depth;
                outer = std::max(outer, node.depth + 1);
            }
            continue;
        }
        if (!part->has_node() || part->node->measured == Measured::now) continue;
        const bool is_new = part->node->measured == Measured::no;
        if (path.size() + (is_new ? 1 : part->node->depth) > options_.max_depth) {
            offset_ = part->node->offset;
            opcode_ = static_cast<unsigned char>(input_[offset_]);
            fail_depth();
        }
        if (is_new) {
            enter(*part->node);
        } else {
            node.depth = std::max(node.depth, part->node->depth + 1);
        }
    }
}

}  // namespace weft::pickle::detail
