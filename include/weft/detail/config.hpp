#pragma once

/// WEFT_API marks what the library exports; everything else is hidden.
/// WEFT_STATIC_DEFINE is set by the build for a static library and for whoever links it.
#if defined(WEFT_STATIC_DEFINE)
#define WEFT_API
#else
#define WEFT_API __attribute__((visibility("default")))
#endif
