#pragma once

namespace weft::detail {

/// At the end of a thread: destroys its values of all locals. Does nothing the next time, unless
/// there are new ones.
void destroy_own_locals() noexcept;

/// In a child of fork(): forgets the values of threads that the child does not have.
void keep_only_own_locals() noexcept;

}  // namespace weft::detail
