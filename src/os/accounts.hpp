#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace weft::os {

/// The number of the user or group of that name; nothing when there is none. Throws
/// `std::system_error` when the system's list cannot be read.
[[nodiscard]] std::optional<std::uint32_t> find_user(const std::string& name);
[[nodiscard]] std::optional<std::uint32_t> find_group(const std::string& name);

/// How many extra groups a process can have.
[[nodiscard]] std::size_t max_extra_groups() noexcept;

}  // namespace weft::os
