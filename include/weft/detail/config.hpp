#pragma once

/// WEFT_API marks what the library exports; everything else is hidden. It is a standard attribute,
/// so it stands first in a declaration (before `extern`, `static`, `explicit`) or after `class`.
/// WEFT_STATIC_DEFINE is set by the build for a static library and for whoever links it.
#if defined(WEFT_STATIC_DEFINE)
#    define WEFT_API
#else
#    define WEFT_API [[gnu::visibility("default")]]
#endif

/// An object of class type with static storage that is built before those of users, also where Weft
/// is a static library. Stands first in its definition.
#define WEFT_INIT_FIRST [[gnu::init_priority(101)]]
