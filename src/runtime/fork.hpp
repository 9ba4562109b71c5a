#pragma once

namespace weft::runtime {

/// Has Weft put in order in every child of fork(). Called once, when the library is loaded, before
/// the constructors of users' static objects. Throws `std::bad_alloc`.
void handle_forks();

}  // namespace weft::runtime
