#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace map {

/// A job's command in both forms.
struct Command {
    std::string line;                  ///< for a shell; also what is shown and logged
    std::vector<std::string> words{};  ///< to be executed without a shell; empty: needs one
};

/// The command with its placeholders:
///
///     {}   the arguments           {.}  without the extension     {/}   without the folder
///     {//} the folder              {/.} without both              {1}, {2.} ... one of several
///     {#}  the job's number        {%}  the number of its place among those that run at once
///
/// The words are joined by spaces, and what the shell would see in them it sees: `$HOME`, `|`,
/// quotes. What is put in is quoted, so that it is never more than text. Where a shell would do no
/// more than split the line at its spaces there is none: the program is executed itself.
class Template {
public:
    /// Without any placeholder in it, ` {}` is added.
    explicit Template(const std::vector<std::string>& words);

    /// `place` counts from 1, as `number` does.
    [[nodiscard]] Command expand(const std::vector<std::string>& arguments, std::size_t number,
                                 std::size_t place) const;
    /// A line that is a whole command and has no placeholders.
    [[nodiscard]] static Command of_line(std::string_view line);

private:
    enum class Kind { text, whole, no_extension, name, folder, bare_name, number, place };
    struct Piece {
        Kind kind = Kind::text;
        std::string text{};     ///< of `text`
        std::size_t which = 0;  ///< which argument, from 1; 0: all of them
    };
    class Words;

    static std::vector<Piece> parse(std::string_view text);
    static bool parse_placeholder(std::string_view inside, Piece& piece);
    static std::string apply(Kind kind, const std::string& argument);

    std::vector<Piece> pieces_;
    bool needs_shell_ = false;
};

}  // namespace map
