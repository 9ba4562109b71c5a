#pragma once

#include <string_view>

namespace weft::os {

/// Writes to descriptor 2, with as few calls as the system allows; whatever goes wrong is passed
/// over. A closed pipe there raises no SIGPIPE in the program.
void write_to_standard_error(std::string_view text) noexcept;

}  // namespace weft::os
