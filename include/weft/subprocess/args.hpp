#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <filesystem>
#include <initializer_list>
#include <ranges>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <weft/detail/config.hpp>

namespace weft::subprocess {

/// One argument of a command: text, or a path. Made from either without a word.
class Arg {
public:
    Arg(const char* text) : text_(text) {}
    Arg(std::string text) noexcept : text_(std::move(text)) {}
    Arg(std::string_view text) : text_(text) {}
    Arg(const std::filesystem::path& path) : text_(path.string()), is_path_(true) {}

    [[nodiscard]] const std::string& text() const noexcept { return text_; }
    /// True when it was given as a `std::filesystem::path`.
    [[nodiscard]] bool is_path() const noexcept { return is_path_; }

private:
    std::string text_;
    bool is_path_ = false;
};

}  // namespace weft::subprocess

namespace weft::detail {

/// A range of arguments that is not itself one argument (a string is a range of characters, a path
/// one of paths).
template <class Range>
concept range_of_args =
    std::ranges::input_range<Range> && !std::convertible_to<Range, subprocess::Arg> &&
    std::convertible_to<std::ranges::range_reference_t<Range>, subprocess::Arg>;

}  // namespace weft::detail

namespace weft::subprocess {

/// A command as it was given: a list of arguments, or one text.
///
///     run({"ls", "-l"});                  // a list: the program and its arguments
///     run("ls -l | wc", {.shell = true}); // one text, for the shell
///     run("/bin/true");                   // one text without a shell: the program's name
///     run(std::vector<std::string>{...});
///
/// Without a shell, the first item of a list is the program, which is looked for in the child's
/// PATH unless it has a slash. With a shell, the first item is the script and the others are the
/// shell's own `$0`, `$1` and so on.
class Args {
public:
    /// The list of no arguments, which cannot be started: `std::out_of_range`.
    Args() = default;
    Args(std::initializer_list<Arg> list) : items_(list) {}
    /// One text or path.
    template <class Text>
        requires(std::convertible_to<Text, Arg> && !std::derived_from<std::decay_t<Text>, Args>)
    Args(Text&& text) : is_list_(false) {
        items_.emplace_back(std::forward<Text>(text));
    }
    /// A list, from any range whose elements are texts or paths.
    template <class Range>
        requires(weft::detail::range_of_args<Range> &&
                 !std::derived_from<std::decay_t<Range>, Args>)
    Args(Range&& range) {
        for (auto&& each : range) items_.emplace_back(std::forward<decltype(each)>(each));
    }

    /// True for a list, false for one text.
    [[nodiscard]] bool is_list() const noexcept { return is_list_; }
    [[nodiscard]] bool empty() const noexcept { return items_.empty(); }
    [[nodiscard]] std::size_t size() const noexcept { return items_.size(); }
    [[nodiscard]] const Arg& operator[](std::size_t index) const noexcept { return items_[index]; }
    [[nodiscard]] auto begin() const noexcept { return items_.begin(); }
    [[nodiscard]] auto end() const noexcept { return items_.end(); }

    /// Adds an argument at the end; makes a list of one text.
    Args& append(Arg argument) {
        is_list_ = true;
        items_.push_back(std::move(argument));
        return *this;
    }

    /// As Python writes it: `['ls', '-l']`, or `'ls -l'`.
    [[nodiscard]] WEFT_API std::string repr() const;

    /// Equal when both are lists, or both are one text, of the same arguments.
    [[nodiscard]] friend bool operator==(const Args& a, const Args& b) {
        return a.is_list_ == b.is_list_ &&
               std::ranges::equal(a.items_, b.items_, {}, &Arg::text, &Arg::text);
    }

private:
    std::vector<Arg> items_;
    bool is_list_ = true;
};

/// One command line from a list of arguments, by the rules of the Microsoft C runtime: what a
/// program on Windows takes apart again. An argument is quoted if it is empty or holds a space or a
/// tab; a quotation mark in it gets a backslash, and backslashes before one are doubled, and so are
/// those at the end of a quoted argument. Throws `std::bad_alloc`.
[[nodiscard]] WEFT_API std::string list2cmdline(const Args& arguments);

/// The text that a POSIX shell reads as this one argument: `it's` gives `'it'"'"'s'`. What needs
/// no quotation marks gets none. Python has it as `shlex.quote`.
[[nodiscard]] WEFT_API std::string quote(std::string_view argument);

/// A command line for a POSIX shell: each argument quoted, with spaces between. Python has it as
/// `shlex.join`.
[[nodiscard]] WEFT_API std::string join(const Args& arguments);

}  // namespace weft::subprocess
