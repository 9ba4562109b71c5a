#pragma once

#include <string>
#include <string_view>

namespace weft::subprocess {

/// A string as Python writes it in its source: in single quotation marks, or in double ones if it
/// holds single ones only.
[[nodiscard]] std::string python_repr(std::string_view text);

}  // namespace weft::subprocess
