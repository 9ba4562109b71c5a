#include <weft/subprocess/args.hpp>

#include <utility>

#include "detail/fmt.hpp"
#include "subprocess/python_text.hpp"

namespace weft::subprocess {

std::string python_repr(std::string_view text) {
    const bool has_single = text.find('\'') != std::string_view::npos;
    const bool has_double = text.find('"') != std::string_view::npos;
    const char mark = has_single && !has_double ? '"' : '\'';
    std::string result(1, mark);
    for (const char c : text) {
        switch (c) {
            case '\n':
                result += "\\n";
                continue;
            case '\r':
                result += "\\r";
                continue;
            case '\t':
                result += "\\t";
                continue;
            case '\\':
                result += "\\\\";
                continue;
            default:
                break;
        }
        const auto byte = static_cast<unsigned char>(c);
        if (c == mark) {
            result += '\\';
            result += c;
        } else if (byte < 0x20 || byte == 0x7F) {
            result += fmt::format("\\x{:02x}", byte);
        } else {
            result += c;
        }
    }
    return result + mark;
}

std::string Args::repr() const {
    if (!is_list_) return python_repr(items_.front().text());
    std::string text = "[";
    for (const Arg& each : items_) {
        if (text.size() > 1) text += ", ";
        text += python_repr(each.text());
    }
    return text + "]";
}

std::string list2cmdline(const Args& arguments) {
    std::string line;
    bool is_first = true;
    for (const Arg& each : arguments) {
        const std::string& text = each.text();
        if (!std::exchange(is_first, false)) line += ' ';
        const bool is_quoted = text.empty() || text.find_first_of(" \t") != std::string::npos;
        if (is_quoted) line += '"';
        std::size_t backslashes = 0;  // those just before this character, not yet written
        for (const char c : text) {
            if (c == '\\') {
                ++backslashes;
                continue;
            }
            line.append(c == '"' ? backslashes * 2 : backslashes, '\\');
            backslashes = 0;
            if (c == '"') line += '\\';
            line += c;
        }
        line.append(is_quoted ? backslashes * 2 : backslashes, '\\');
        if (is_quoted) line += '"';
    }
    return line;
}

std::string quote(std::string_view argument) {
    constexpr std::string_view kSafe =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789@%+=:,./-_";
    if (!argument.empty() && argument.find_first_not_of(kSafe) == std::string_view::npos) {
        return std::string(argument);
    }
    std::string text = "'";
    for (const char c : argument) {
        if (c == '\'') {
            text += "'\"'\"'";
        } else {
            text += c;
        }
    }
    return text + "'";
}

std::string join(const Args& arguments) {
    std::string line;
    for (const Arg& each : arguments) {
        if (!line.empty()) line += ' ';
        line += quote(each.text());
    }
    return line;
}

}  // namespace weft::subprocess
