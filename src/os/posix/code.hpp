#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <weft/detail/config.hpp>

namespace weft::os {

/// A module of this process: the program or a library.
struct CodeModule {
    std::uintptr_t base = 0;  ///< what is to be added to the addresses in its file
    std::string build_id;     ///< raw bytes; empty if it was linked without
    std::string path;         ///< absolute; empty for the program
};

/// The module with this address in its code.
WEFT_API std::optional<CodeModule> find_code(std::uintptr_t address);

/// The module with this build-id.
std::optional<CodeModule> find_build(std::string_view build_id);

/// How many modules have been unloaded so far: the same address means the same code as long as the
/// number is the same.
WEFT_API std::uint64_t unloaded_modules() noexcept;

/// Loads the library with this build-id from a file, for good. The reason in words when that fails,
/// otherwise empty. Of a file with another build-id nothing is loaded, so none of its code runs.
std::string open_library(const std::string& path, std::string_view build_id);

}  // namespace weft::os
