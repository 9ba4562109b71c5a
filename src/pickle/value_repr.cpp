// Values as Python writes them.

#include <array>
#include <charconv>
#include <cmath>
#include <string>
#include <vector>

#include <weft/pickle/value.hpp>

#include "detail/fmt.hpp"
#include "pickle/arrays.hpp"
#include "pickle/integers.hpp"
#include "pickle/node.hpp"

namespace weft::pickle {

using detail::Item;
using detail::Node;

namespace {

/// Python's text of a float: the shortest that reads back as the same, with .0 or an exponent of
/// two digits.
std::string float_text(double value) {
    if (std::isnan(value)) return "nan";
    if (std::isinf(value)) return value < 0 ? "-inf" : "inf";
    std::array<char, 32> buffer{};
    const double size = std::fabs(value);
    const bool has_exponent = size != 0 && (size < 1e-4 || size >= 1e16);
    const auto [end, error] =
        std::to_chars(buffer.data(), buffer.data() + buffer.size(), value,
                      has_exponent ? std::chars_format::scientific : std::chars_format::fixed);
    std::string text(buffer.data(), end);
    if (!has_exponent && text.find('.') == std::string::npos) text += ".0";
    return text;
}

class Printer {
public:
    explicit Printer(std::size_t limit) : limit_(limit) {}

    void print(const Item& item) {
        if (is_full()) return;
        switch (item.kind) {
            case Kind::none:
                text_ += "None";
                break;
            case Kind::boolean:
                text_ += item.integer != 0 ? "True" : "False";
                break;
            case Kind::integer:
                text_ +=
                    item.is_big ? detail::digits_of(item.view()) : fmt::to_string(item.integer);
                break;
            case Kind::real:
                text_ += float_text(item.real);
                break;
            case Kind::text:
                print_text(item.view());
                break;
            case Kind::bytes:
                print_bytes(item.view());
                break;
            default:
                print_node(*item.node);
        }
    }

    void print_name(std::string_view wire) { print_letters(wire, '\0'); }

    std::string finish() {
        if (is_full()) {
            std::size_t end = limit_;
            // Not within a character.
            while (end > 0 && (static_cast<unsigned char>(text_[end]) & 0xc0) == 0x80) --end;
            text_.resize(end);
            text_ += "...";
        }
        return std::move(text_);
    }

private:
    static constexpr std::size_t kMostDepth = 200;

    [[nodiscard]] bool is_full() const noexcept { return text_.size() > limit_; }

    static char quote_for(std::string_view text) noexcept {
        const bool has_single = text.find('\'') != std::string_view::npos;
        return has_single && text.find('"') == std::string_view::npos ? '"' : '\'';
    }

    /// True if the character has an escape in both str and bytes, which then is printed.
    bool print_escape(unsigned char letter, char quote) {
        switch (letter) {
            case '\n':
                text_ += "\\n";
                return true;
            case '\r':
                text_ += "\\r";
                return true;
            case '\t':
                text_ += "\\t";
                return true;
            case '\\':
                text_ += "\\\\";
                return true;
            default:
                break;
        }
        if (quote != '\0' && letter == static_cast<unsigned char>(quote)) {
            text_ += '\\';
            text_ += quote;
            return true;
        }
        if (letter >= 0x20 && letter != 0x7f) return false;
        text_ += fmt::format("\\x{:02x}", letter);
        return true;
    }

    void print_text(std::string_view wire) {
        const char quote = quote_for(wire.substr(0, limit_));
        text_ += quote;
        print_letters(wire, quote);
        text_ += quote;
    }

    void print_letters(std::string_view wire, char quote) {
        for (std::size_t place = 0; place < wire.size() && !is_full(); ++place) {
            const auto letter = static_cast<unsigned char>(wire[place]);
            if (print_escape(letter, quote)) continue;
            const bool is_surrogate = letter == 0xed && place + 2 < wire.size() &&
                                      static_cast<unsigned char>(wire[place + 1]) >= 0xa0;
            if (!is_surrogate) {
                text_ += wire[place];
                continue;
            }
            const unsigned code = 0xd000U |
                                  ((static_cast<unsigned char>(wire[place + 1]) & 0x3fU) << 6) |
                                  (static_cast<unsigned char>(wire[place + 2]) & 0x3fU);
            text_ += fmt::format("\\u{:04x}", code);
            place += 2;
        }
    }

    void print_bytes(std::string_view raw) {
        const char quote = quote_for(raw.substr(0, limit_));
        text_ += 'b';
        text_ += quote;
        for (const char byte : raw) {
            if (is_full()) return;
            const auto letter = static_cast<unsigned char>(byte);
            if (print_escape(letter, quote)) continue;
            if (letter < 0x80) {
                text_ += byte;
            } else {
                text_ += fmt::format("\\x{:02x}", letter);
            }
        }
        text_ += quote;
    }

    void print_node(const Node& node) {
        for (const Node* outer : path_) {
            if (outer == &node) {
                text_ += node.kind == Kind::dict   ? "{...}"
                         : node.kind == Kind::list ? "[...]"
                                                   : "...";
                return;
            }
        }
        if (path_.size() > kMostDepth) {
            text_ += "...";
            return;
        }
        path_.push_back(&node);
        print_new_node(node);
        path_.pop_back();
    }

    void print_new_node(const Node& node) {
        switch (node.kind) {
            case Kind::bytearray:
                text_ += "bytearray(";
                print_bytes(node.data);
                text_ += ')';
                break;
            case Kind::tuple:
                text_ += '(';
                print_items(node.items);
                text_ += node.items.size() == 1 ? ",)" : ")";
                break;
            case Kind::list:
                text_ += '[';
                print_items(node.items);
                text_ += ']';
                break;
            case Kind::dict:
                text_ += '{';
                print_entries(node.items);
                text_ += '}';
                break;
            case Kind::set:
                print_set("set", node.items);
                break;
            case Kind::frozenset:
                print_set("frozenset", node.items);
                break;
            case Kind::array:
                print_array(node);
                break;
            case Kind::global:
                print_global(node);
                break;
            default:
                print_object(node);
        }
    }

    void print_items(const std::vector<Item>& items) {
        const char* between = "";
        for (const Item& item : items) {
            if (is_full()) return;
            text_ += between;
            print(item);
            between = ", ";
        }
    }

    void print_entries(const std::vector<Item>& items) {
        for (std::size_t i = 0; i < items.size() && !is_full(); i += 2) {
            if (i > 0) text_ += ", ";
            print(items[i]);
            text_ += ": ";
            print(items[i + 1]);
        }
    }

    void print_set(std::string_view name, const std::vector<Item>& members) {
        if (members.empty()) {
            text_ += fmt::format("{}()", name);
            return;
        }
        const bool is_frozen = name == "frozenset";
        text_ += is_frozen ? "frozenset({" : "{";
        print_items(members);
        text_ += is_frozen ? "})" : "}";
    }

    void print_array(const Node& node) {
        text_ += fmt::format("array('{}'", node.letter);
        const std::size_t size = detail::array_length(node);
        for (std::size_t i = 0; i < size && !is_full(); ++i) {
            detail::Scratch scratch;
            text_ += i == 0 ? ", [" : ", ";
            print(detail::array_item(node, i, scratch));
        }
        text_ += size > 0 ? "])" : ")";
    }

    void print_global(const Node& node) {
        text_ += '<';
        print_name(node.items[0].view());
        text_ += '.';
        print_name(node.items[1].view());
        text_ += '>';
    }

    void print_object(const Node& node) {
        const Item& callable = node.items[detail::kCallable];
        if (callable.kind == Kind::global) {
            const auto& names = callable.node->items;
            if (names[0].view() != "builtins") {
                print_name(names[0].view());
                text_ += '.';
            }
            print_name(names[1].view());
        } else {
            print(callable);
        }
        text_ += '(';
        print_items(node.items[detail::kArgs].node->items);
        if (node.items[detail::kKwargs].kind == Kind::dict) {
            text_ += ", **";
            print(node.items[detail::kKwargs]);
        }
        text_ += ')';
        if (node.has_state) {
            text_ += " with state ";
            print(node.items[detail::kState]);
        }
        if (node.additions == nullptr) return;
        if (!node.additions->items.empty()) {
            text_ += " with [";
            print_items(node.additions->items);
            text_ += ']';
        }
        if (!node.additions->entries.empty()) {
            text_ += " with {";
            print_entries(node.additions->entries);
            text_ += '}';
        }
    }

    std::size_t limit_;
    std::string text_;
    std::vector<const Node*> path_;
};

}  // namespace

std::string detail::shown(std::string_view name) {
    Printer printer(200);
    printer.print_name(name);
    return printer.finish();
}

std::string Value::repr(std::size_t limit) const {
    Printer printer(limit);
    printer.print(item_);
    return printer.finish();
}

}  // namespace weft::pickle
