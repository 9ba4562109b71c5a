#pragma once

#include <string>
#include <string_view>

namespace weft::test {

/// Where the child program of that name (`weft_add_child` in CMake) lies.
[[nodiscard]] std::string child_path(std::string_view name);

}  // namespace weft::test
