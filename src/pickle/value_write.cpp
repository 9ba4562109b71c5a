// Writing a Value: as it came, with what was met twice written once.

#include <unordered_map>
#include <vector>

#include <weft/pickle/detail/value_codec.hpp>
#include <weft/pickle/detail/writer.hpp>
#include <weft/pickle/errors.hpp>

#include "detail/fmt.hpp"
#include "pickle/arrays.hpp"
#include "pickle/node.hpp"

namespace weft::pickle::detail {

namespace {

constexpr char kValueTag = 0;

class ValueWriter {
public:
    ValueWriter(Writer& writer, const ArenaRef& arena)
        : writer_(writer), repeats_text_(arena.get() != nullptr && arena->has_repeated_text) {}

    void write(const Item& item) {
        switch (item.kind) {
            case Kind::none:
                writer_.op(Opcode::none);
                break;
            case Kind::boolean:
                writer_.boolean(item.integer != 0);
                break;
            case Kind::integer:
                if (item.is_big) {
                    writer_.wide_integer(item.view());
                } else {
                    writer_.integer(item.integer);
                }
                break;
            case Kind::real:
                writer_.real(item.real);
                break;
            case Kind::text:
            case Kind::bytes:
                write_flat(item);
                break;
            default:
                write_node(*item.node);
        }
    }

private:
    void write_flat(const Item& item) {
        if (repeats_text_ && item.size > 0) {
            const auto [known, is_new] = flat_.try_emplace(item.data, 0);
            if (!is_new) return writer_.recall(known->second);
            write_flat_once(item);
            known->second = writer_.memoize();
        } else {
            write_flat_once(item);
        }
    }

    void write_flat_once(const Item& item) {
        if (item.kind == Kind::text) {
            writer_.wire_text(item.view());
        } else {
            writer_.byte_string(item.view());
        }
    }

    void write_node(const Node& node) {
        if (!node.is_shared) return write_new(node);
        const bool is_early = node.kind == Kind::list || node.kind == Kind::dict;
        if (node.kind == Kind::object) {
            // It takes its number between its making and its state, so it is dealt with there.
            if (!writer_.begin_shared(&node, &kValueTag, false)) write_object(node);
            return;
        }
        if (node.kind == Kind::tuple) return write_shared_tuple(node);
        if (writer_.begin_shared(&node, &kValueTag, is_early)) return;
        write_new(node);
        writer_.end_shared(&node, &kValueTag);
    }

    /// A tuple may hold itself through a list in it. As in Python: the items, then the discovery
    /// that one of them has written the tuple already, which takes their place.
    void write_shared_tuple(const Node& node) {
        if (const auto known = tuples_.find(&node); known != tuples_.end()) {
            return writer_.recall(known->second);
        }
        // Each time it is met in itself it is through another of its items, which by then has its
        // number: more often than there are items it can only be without one.
        if (++open_tuples_[&node] > node.items.size() + 1) {
            throw PicklingError("a tuple that holds itself without a list or dict between");
        }
        writer_.deeper();
        writer_.op(Opcode::mark);
        for (const Item& item : node.items) write(item);
        writer_.shallower();
        --open_tuples_[&node];
        if (const auto known = tuples_.find(&node); known != tuples_.end()) {
            writer_.op(Opcode::pop_mark);
            return writer_.recall(known->second);
        }
        writer_.op(Opcode::tuple);
        tuples_[&node] = writer_.memoize();
    }

    void write_new(const Node& node) {
        switch (node.kind) {
            case Kind::bytearray:
                writer_.byte_array(node.data);
                break;
            case Kind::tuple:
                writer_.begin_tuple(node.items.size());
                for (const Item& item : node.items) write(item);
                writer_.end_tuple(node.items.size());
                break;
            case Kind::list:
                writer_.begin_list(node.items.empty());
                for (const Item& item : node.items) write(item);
                writer_.end_list(node.items.empty());
                break;
            case Kind::dict:
                writer_.begin_dict(node.items.empty());
                for (const Item& item : node.items) write(item);
                writer_.end_dict(node.items.empty());
                break;
            case Kind::set:
                writer_.begin_set(node.items.empty());
                for (const Item& item : node.items) write(item);
                writer_.end_set(node.items.empty());
                break;
            case Kind::frozenset:
                write_frozenset(node);
                break;
            case Kind::array:
                writer_.array(node.letter, array_item_size(node.letter), node.data);
                break;
            case Kind::global:
                write_global(node);
                break;
            default:
                write_object(node);
        }
    }

    void write_frozenset(const Node& node) {
        writer_.deeper();
        if (writer_.protocol() >= 4) {
            writer_.op(Opcode::mark);
            for (const Item& item : node.items) write(item);
            writer_.op(Opcode::frozenset);
        } else {
            writer_.global(kFrozensetName);
            writer_.begin_list(node.items.empty());
            for (const Item& item : node.items) write(item);
            writer_.end_list(node.items.empty());
            writer_.op(Opcode::tuple1);
            writer_.op(Opcode::reduce);
        }
        writer_.shallower();
    }

    void write_global(const Node& node) {
        writer_.global_once(node.items[0].view(), node.items[1].view());
    }

    void write_object(const Node& node) {
        writer_.deeper();
        const auto& parts = node.items;
        write(parts[kCallable]);
        if (node.form == Form::newobj_ex && writer_.protocol() < 4) {
            throw PicklingError(
                fmt::format("pickle protocol {} cannot hold an object made with keyword arguments",
                            writer_.protocol()));
        }
        write(parts[kArgs]);
        if (node.form == Form::newobj_ex) write(parts[kKwargs]);
        static constexpr Opcode kCodes[] = {Opcode::reduce, Opcode::newobj, Opcode::newobj_ex};
        writer_.op(kCodes[static_cast<std::size_t>(node.form)]);
        if (node.is_shared) writer_.end_shared(&node, &kValueTag);
        if (node.additions != nullptr) {
            if (!node.additions->items.empty()) {
                writer_.op(Opcode::mark);
                for (const Item& item : node.additions->items) write(item);
                writer_.op(Opcode::appends);
            }
            if (!node.additions->entries.empty()) {
                writer_.op(Opcode::mark);
                for (const Item& item : node.additions->entries) write(item);
                writer_.op(Opcode::setitems);
            }
        }
        if (node.has_state) {
            write(parts[kState]);
            writer_.op(Opcode::build);
        }
        writer_.shallower();
    }

    Writer& writer_;
    bool repeats_text_;
    std::unordered_map<const char*, std::uint32_t> flat_;  ///< texts and bytes
    std::unordered_map<const Node*, std::uint32_t> tuples_;
    std::unordered_map<const Node*, std::size_t> open_tuples_;
};

}  // namespace

void save_value(Writer& writer, const Value& value) {
    ValueWriter(writer, ValueAccess::arena(value)).write(ValueAccess::item(value));
}

}  // namespace weft::pickle::detail
