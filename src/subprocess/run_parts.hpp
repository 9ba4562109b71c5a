#pragma once

#include <weft/subprocess/options.hpp>

#include "subprocess/child.hpp"

namespace weft::subprocess {

/// What run()'s options say, taken apart.
struct Prepared {
    PopenOptions popen{};
    weft::detail::Child::Listeners listeners{};
};

/// Moves out of the options what the child needs; `input`, `check`, `timeout` and `stop` stay.
/// Throws `std::invalid_argument` for options that exclude each other.
[[nodiscard]] Prepared prepare(RunOptions& options);

}  // namespace weft::subprocess
