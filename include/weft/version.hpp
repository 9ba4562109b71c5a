#pragma once

#include <weft/detail/config.hpp>

/// The version of the headers, for the preprocessor. Semantic versioning: before 1.0 a minor
/// version may change what exists, and says so in CHANGELOG.md.
#define WEFT_VERSION_MAJOR 0
#define WEFT_VERSION_MINOR 1
#define WEFT_VERSION_PATCH 0

/// One number that grows with the version: 10000 * major + 100 * minor + patch.
#define WEFT_VERSION (WEFT_VERSION_MAJOR * 10000 + WEFT_VERSION_MINOR * 100 + WEFT_VERSION_PATCH)

namespace weft {

/// The version of the library that is linked, as WEFT_VERSION counts. It may be newer than that of
/// the headers a program was compiled with: compare the two to tell. Any thread may call it at any
/// time.
[[nodiscard]] WEFT_API int version() noexcept;

/// The version of the library that is linked, as text: "major.minor.patch". Static storage.
[[nodiscard]] WEFT_API const char* version_string() noexcept;

}  // namespace weft
