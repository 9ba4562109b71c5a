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

/// A function that must not be reported to weft::trace, also where a host has everything compiled
/// with -finstrument-functions. Stands first in its declaration.
#define WEFT_NOT_INSTRUMENTED [[gnu::no_instrument_function]]

namespace weft::detail {

#if defined(__SIZEOF_INT128__)
// The compilers' own type, of which __extension__ says that it is meant.
__extension__ using Int128 = __int128;
__extension__ using UInt128 = unsigned __int128;
#else
struct Int128;
struct UInt128;
#endif

}  // namespace weft::detail
