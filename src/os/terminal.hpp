#pragma once

#include <string>

#include "os/descriptor.hpp"

namespace weft::os {

/// A new pseudo-terminal.
struct Terminal {
    Descriptor ours;    ///< what a person would sit at; reads and writes do not block
    Descriptor theirs;  ///< what a program takes for its terminal
};

/// Neither end becomes this program's controlling terminal. Throws `std::system_error`.
[[nodiscard]] Terminal open_terminal();

/// What is typed to end the input, after text that did or did not end a line; empty where the
/// terminal passes on every byte as it is, so that nothing ends the input. `fd` is our end.
[[nodiscard]] std::string end_of_input(int fd, bool is_at_line_start);

}  // namespace weft::os
