#pragma once

#include "os/descriptor.hpp"

namespace weft::os {

/// A new pseudo-terminal.
struct Terminal {
    Descriptor ours;    ///< what a person would sit at
    Descriptor theirs;  ///< what a program takes for its terminal
};

/// Neither end becomes this program's controlling terminal. Throws `std::system_error`.
[[nodiscard]] Terminal open_terminal();

}  // namespace weft::os
