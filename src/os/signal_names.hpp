#pragma once

namespace weft::os {

/// `SIGKILL` and so on; null for a number without a name. Static storage.
[[nodiscard]] const char* signal_name(int signal) noexcept;

}  // namespace weft::os
