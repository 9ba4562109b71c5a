// Names, and what would be made by calling them. Nothing is called: what Weft knows becomes the
// value it stands for, everything else an object that says what would have been called with what.

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include <weft/pickle/detail/text.hpp>

#include "detail/fmt.hpp"
#include "pickle/arrays.hpp"
#include "pickle/machine.hpp"

namespace weft::pickle::detail {

namespace {

/// Where Python 2 had what Python 3 has elsewhere, as far as it is about plain values and
/// exceptions.
constexpr std::array<std::pair<std::string_view, std::string_view>, 4> kMovedModules{{
    {"__builtin__", "builtins"},
    {"copy_reg", "copyreg"},
    {"exceptions", "builtins"},
    {"Queue", "queue"},
}};

/// And under which name, for builtins that have another one now.
constexpr std::array<std::pair<std::string_view, std::string_view>, 4> kMovedBuiltins{{
    {"xrange", "range"},
    {"unicode", "str"},
    {"unichr", "chr"},
    {"long", "int"},
}};

/// The characters of a str that are all below U+0100, as bytes.
bool latin1_bytes(std::string_view wire, std::string& raw) {
    for (std::size_t place = 0; place < wire.size(); ++place) {
        const auto first = static_cast<unsigned char>(wire[place]);
        if (first < 0x80) {
            raw.push_back(wire[place]);
        } else if (first == 0xc2 || first == 0xc3) {
            const auto second = static_cast<unsigned char>(wire[++place]);
            raw.push_back(static_cast<char>(((first & 3) << 6) | (second & 0x3f)));
        } else {
            return false;
        }
    }
    return true;
}

}  // namespace

void Machine::push_global(std::string_view module, std::string_view name) {
    if (protocol_ < 3) {
        if (module == "__builtin__") {
            for (const auto& [old_name, new_name] : kMovedBuiltins) {
                if (name == old_name) name = new_name;
            }
        }
        for (const auto& [old_name, new_name] : kMovedModules) {
            if (module == old_name) module = new_name;
        }
    }
    if (!is_wire_text(module) || !is_wire_text(name)) fail("a name that is no UTF-8");
    Node& node = make(Kind::global);
    node.items = {item_of_text(module), item_of_text(name)};
}

void Machine::new_object(const Item& callable, const Item& args, const Item& kwargs, Form form) {
    if (args.kind != Kind::tuple) fail("arguments that are no tuple");
    if (callable.kind != Kind::global && callable.kind != Kind::object) {
        fail("what is called is no class or function");
    }
    Node& node = make(Kind::object);
    node.form = form;
    node.items = {callable, args, kwargs, Item{}};
    deepen(node, callable);
    deepen(node, args);
    deepen(node, kwargs);
}

void Machine::reduce() {
    const Item args = pop();
    const Item callable = pop();
    if (callable.kind == Kind::global && args.kind == Kind::tuple &&
        apply_known(*callable.node, *args.node)) {
        return;
    }
    // How Python makes instances for protocols 0 and 1: copyreg._reconstructor(cls, object, None).
    if (callable.kind == Kind::global && args.kind == Kind::tuple && args.node->items.size() == 3 &&
        callable.node->items[0].view() == "copyreg" &&
        callable.node->items[1].view() == "_reconstructor" &&
        args.node->items[0].kind == Kind::global && args.node->items[2].kind == Kind::none) {
        Node& empty = arena_.add(Kind::tuple, offset_);
        return new_object(args.node->items[0], item_of(empty), {}, Form::newobj);
    }
    new_object(callable, args, {}, Form::reduce);
}

void Machine::build() {
    const Item state = pop();
    const Item target = top();
    if (target.kind != Kind::object) fail("what gets a state is no object");
    deepen(*target.node, state);
    target.node->items[kState] = state;
    target.node->has_state = true;
}

bool Machine::apply_known(const Node& callable, const Node& args) {
    const std::string_view module = callable.items[0].view();
    const std::string_view name = callable.items[1].view();
    if (module == "builtins") {
        if (name == "set" || name == "frozenset") return apply_set(name, args);
        if (name == "bytes" || name == "bytearray") return apply_bytes(name, args);
        return false;
    }
    if (module == "_codecs" && name == "encode") return apply_encode(args);
    if (module == "array") {
        if (name == "array") return apply_array(args);
        if (name == "_array_reconstructor") return apply_rebuild_array(args);
    }
    return false;
}

bool Machine::apply_set(std::string_view name, const Node& args) {
    if (args.items.size() > 1) return false;
    const std::vector<Item>* members = nullptr;
    if (args.items.size() == 1) {
        const Kind kind = args.items[0].kind;
        if (kind != Kind::list && kind != Kind::tuple && kind != Kind::set &&
            kind != Kind::frozenset) {
            return false;
        }
        members = &args.items[0].node->items;
    }
    Node& node = make(name == "set" ? Kind::set : Kind::frozenset);
    if (members == nullptr) return true;
    charge(4 * sizeof(Item) * members->size());
    for (const Item& member : *members) {
        if (!add_member(node, member, work_)) fail("a member of a set that has no hash");
        deepen(node, member);
    }
    return true;
}

bool Machine::apply_bytes(std::string_view name, const Node& args) {
    std::string_view raw;
    if (args.items.size() == 1 && args.items[0].kind == Kind::bytes) {
        raw = args.items[0].view();
    } else if (args.items.size() == 2 && args.items[0].kind == Kind::text &&
               args.items[1].kind == Kind::text && args.items[1].view() == "latin-1") {
        charge(args.items[0].size);
        std::string decoded;
        if (!latin1_bytes(args.items[0].view(), decoded)) return false;
        raw = arena_.keep(std::move(decoded));
    } else if (!args.items.empty()) {
        return false;
    }
    if (name == "bytes") {
        push_bytes(raw);
    } else {
        make(Kind::bytearray).data = raw;
    }
    return true;
}

bool Machine::apply_encode(const Node& args) {
    if (args.items.size() != 2 || args.items[0].kind != Kind::text ||
        args.items[1].kind != Kind::text) {
        return false;
    }
    const std::string_view codec = args.items[1].view();
    charge(args.items[0].size);
    std::string raw;
    if ((codec != "latin1" && codec != "latin-1") || !latin1_bytes(args.items[0].view(), raw)) {
        return false;
    }
    push_bytes(arena_.keep(std::move(raw)));
    return true;
}

bool Machine::apply_array(const Node& args) {
    if (args.items.empty() || args.items.size() > 2 || args.items[0].kind != Kind::text)
        return false;
    const std::string_view letter = args.items[0].view();
    if (letter.size() != 1 || array_item_size(letter.front()) == 0) return false;
    std::string_view raw;
    if (args.items.size() == 2) {
        const Item& numbers = args.items[1];
        if (numbers.kind == Kind::bytes || numbers.kind == Kind::bytearray) {
            raw = numbers.kind == Kind::bytes ? numbers.view() : numbers.node->data;
            if (raw.size() % array_item_size(letter.front()) != 0) {
                fail("the bytes of an array that are no whole numbers");
            }
        } else if (numbers.kind == Kind::list || numbers.kind == Kind::tuple) {
            charge(8 * numbers.node->items.size());
            std::string made;
            for (const Item& number : numbers.node->items) {
                const auto of_number = array_bytes(letter.front(), number);
                if (!of_number) fail("a number that does not fit into its array");
                made += *of_number;
            }
            raw = arena_.keep(std::move(made));
        } else {
            return false;
        }
    }
    Node& node = make(Kind::array);
    node.letter = letter.front();
    node.data = raw;
    return true;
}

bool Machine::apply_rebuild_array(const Node& args) {
    if (args.items.size() != 4 || args.items[0].kind != Kind::global ||
        args.items[1].kind != Kind::text || args.items[1].size != 1 ||
        args.items[2].kind != Kind::integer || args.items[2].is_big ||
        args.items[3].kind != Kind::bytes || args.items[0].node->items[0].view() != "array" ||
        args.items[0].node->items[1].view() != "array") {
        return false;
    }
    charge(args.items[3].size);
    auto rebuilt =
        rebuild_array(args.items[1].view().front(), args.items[2].integer, args.items[3].view());
    if (!rebuilt) return false;
    Node& node = make(Kind::array);
    node.letter = rebuilt->letter;
    node.data =
        rebuilt->is_swapped ? arena_.keep(std::move(rebuilt->swapped)) : args.items[3].view();
    return true;
}

}  // namespace weft::pickle::detail
