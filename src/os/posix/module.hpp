#pragma once

namespace weft::os {

/// Keeps the library that holds this code in memory until the process ends, even when it came with
/// a plugin that is closed. Does nothing in a program that is linked with it statically.
void pin_this_module() noexcept;

}  // namespace weft::os
