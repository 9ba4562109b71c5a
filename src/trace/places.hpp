#pragma once

#include <weft/threading/trace.hpp>

namespace weft::trace {

/// Names, files and lines of this process's functions. Never destroyed.
const weft::detail::CodePlaces& places() noexcept;

}  // namespace weft::trace
