#include "map_template.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include <weft/subprocess/args.hpp>

namespace map {

namespace {

/// What a shell takes for itself whatever it is called, and has no program for.
constexpr std::array<std::string_view, 46> kShellWords = {
    ".",        ":",       "alias", "bg",    "break", "case", "cd",       "command",
    "continue", "do",      "done",  "elif",  "else",  "esac", "eval",     "exec",
    "exit",     "export",  "fc",    "fg",    "fi",    "for",  "getopts",  "hash",
    "if",       "in",      "jobs",  "kill",  "local", "read", "readonly", "return",
    "set",      "shift",   "then",  "time",  "times", "trap", "type",     "ulimit",
    "umask",    "unalias", "unset", "until", "wait",  "while"};

bool is_space(char c) {
    return c == ' ' || c == '\t';
}

/// A character that every shell takes for itself wherever it stands.
bool is_plain(char c) {
    constexpr std::string_view kPlain = "_@%+:,./-";
    const bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    const bool is_digit = c >= '0' && c <= '9';
    return is_letter || is_digit || static_cast<unsigned char>(c) >= 0x80 ||
           kPlain.find(c) != std::string_view::npos;
}

/// Whether a shell would do no more to this than split it at its spaces. "=" is plain but in the
/// first word, where it sets a variable.
bool is_plain(std::string_view text, bool& is_in_first_word) {
    for (const char c : text) {
        if (is_space(c)) {
            is_in_first_word = false;
        } else if (!is_plain(c) && (c != '=' || is_in_first_word)) {
            return false;
        }
    }
    return true;
}

bool is_for_the_shell(const std::string& word) {
    return std::ranges::find(kShellWords, word) != kShellWords.end();
}

}  // namespace

/// Builds both forms of a command.
class Template::Words {
public:
    explicit Words(bool needs_shell) : needs_shell_(needs_shell) {}

    void add_text(std::string_view text) {
        line_ += text;
        if (needs_shell_) return;
        for (const char c : text) {
            if (is_space(c)) {
                is_open_ = false;
            } else {
                open() += c;
            }
        }
    }
    void add_quoted(const std::string& text) {
        line_ += weft::subprocess::quote(text);
        if (!needs_shell_) open() += text;
    }
    void end_word() { add_text(" "); }

    [[nodiscard]] Command take() && {
        if (!words_.empty() && is_for_the_shell(words_.front())) words_.clear();
        return {.line = std::move(line_), .words = std::move(words_)};
    }

private:
    std::string& open() {
        if (!std::exchange(is_open_, true)) words_.emplace_back();
        return words_.back();
    }

    std::string line_;
    std::vector<std::string> words_;
    bool needs_shell_;
    bool is_open_ = false;  ///< the last word may go on
};

Template::Template(const std::vector<std::string>& words) {
    std::string text;
    for (const std::string& each : words) {
        if (!text.empty()) text += ' ';
        text += each;
    }
    text.erase(0, text.find_first_not_of(" \t"));
    pieces_ = parse(text);
    const auto is_text = [](const Piece& piece) { return piece.kind == Kind::text; };
    if (std::ranges::all_of(pieces_, is_text)) {
        pieces_.push_back({.kind = Kind::text, .text = " "});
        pieces_.push_back({.kind = Kind::whole});
    }
    bool is_in_first_word = true;
    for (const Piece& each : pieces_) {
        if (!is_plain(each.text, is_in_first_word)) needs_shell_ = true;
    }
}

std::vector<Template::Piece> Template::parse(std::string_view text) {
    std::vector<Piece> pieces;
    std::string literal;
    const auto end_literal = [&] {
        if (literal.empty()) return;
        pieces.push_back({.kind = Kind::text, .text = std::exchange(literal, {})});
    };
    while (!text.empty()) {
        const std::size_t end = text.front() == '{' ? text.find('}') : std::string_view::npos;
        Piece piece;
        if (end != std::string_view::npos && parse_placeholder(text.substr(1, end - 1), piece)) {
            end_literal();
            pieces.push_back(std::move(piece));
            text.remove_prefix(end + 1);
        } else {
            literal += text.front();
            text.remove_prefix(1);
        }
    }
    end_literal();
    return pieces;
}

bool Template::parse_placeholder(std::string_view inside, Piece& piece) {
    const char* const end = inside.data() + inside.size();
    const auto number = std::from_chars(inside.data(), end, piece.which);
    if (number.ec == std::errc::result_out_of_range) return false;
    if (number.ec == std::errc()) {
        if (piece.which == 0) return false;
        inside.remove_prefix(static_cast<std::size_t>(number.ptr - inside.data()));
    }
    constexpr std::array<std::pair<std::string_view, Kind>, 7> kKinds = {{
        {"", Kind::whole},
        {".", Kind::no_extension},
        {"/", Kind::name},
        {"//", Kind::folder},
        {"/.", Kind::bare_name},
        {"#", Kind::number},
        {"%", Kind::place},
    }};
    for (const auto& [name, kind] : kKinds) {
        if (inside != name) continue;
        piece.kind = kind;
        return piece.which == 0 || (kind != Kind::number && kind != Kind::place);
    }
    return false;
}

std::string Template::apply(Kind kind, const std::string& argument) {
    const auto without_extension = [](std::string text) {
        const std::size_t dot = text.rfind('.');
        const std::size_t slash = text.rfind('/');
        const bool is_in_name =
            slash == std::string::npos || (dot != std::string::npos && dot > slash);
        if (dot != std::string::npos && is_in_name) text.erase(dot);
        return text;
    };
    const std::size_t slash = argument.rfind('/');
    const std::string name = slash == std::string::npos ? argument : argument.substr(slash + 1);
    switch (kind) {
        case Kind::no_extension:
            return without_extension(argument);
        case Kind::name:
            return name;
        case Kind::bare_name:
            return without_extension(name);
        case Kind::folder: {
            // As dirname: "/" for what lies in it, "." without a folder, no slashes at the end.
            const std::size_t last = argument.find_last_not_of('/');
            if (last == std::string::npos) return argument.empty() ? "." : "/";
            const std::size_t before = argument.rfind('/', last);
            if (before == std::string::npos) return ".";
            const std::size_t end = argument.find_last_not_of('/', before);
            return end == std::string::npos ? "/" : argument.substr(0, end + 1);
        }
        case Kind::text:
        case Kind::whole:
        case Kind::number:
        case Kind::place:
            break;
    }
    return argument;
}

Command Template::expand(const std::vector<std::string>& arguments, std::size_t number,
                         std::size_t place) const {
    Words words(needs_shell_);
    for (const Piece& piece : pieces_) {
        switch (piece.kind) {
            case Kind::text:
                words.add_text(piece.text);
                continue;
            case Kind::number:
                words.add_text(std::to_string(number));
                continue;
            case Kind::place:
                words.add_text(std::to_string(place));
                continue;
            default:
                break;
        }
        if (piece.which > 0) {
            if (piece.which > arguments.size()) continue;
            words.add_quoted(apply(piece.kind, arguments[piece.which - 1]));
            continue;
        }
        for (std::size_t i = 0; i < arguments.size(); ++i) {
            if (i > 0) words.end_word();
            words.add_quoted(apply(piece.kind, arguments[i]));
        }
    }
    return std::move(words).take();
}

Command Template::of_line(std::string_view line) {
    bool is_in_first_word = true;
    line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
    Words words(!is_plain(line, is_in_first_word));
    words.add_text(line);
    return std::move(words).take();
}

}  // namespace map
