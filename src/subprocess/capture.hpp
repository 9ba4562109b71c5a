#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace weft::subprocess {

/// Collects what is read, without copying it once more than a growing string must.
///
/// The string is longer than what was read: its rest is where the next read goes. Each byte is
/// zeroed once, shortly before it is read into, while it is in the cache; large blocks are asked of
/// the system in large pages, which cost a fraction of what small ones do. A large string that is
/// full does not grow before there is more to read, since that may have been all: the next read
/// goes to a block aside.
class Capture {
public:
    /// Room for the next read. Throws `std::bad_alloc`; what was read stays.
    [[nodiscard]] std::span<char> room();
    /// So much of it was filled.
    void commit(std::size_t size) noexcept { (is_aside_ ? aside_used_ : used_) += size; }

    /// What was read so far. Throws `std::bad_alloc`.
    [[nodiscard]] std::string copy() const;
    /// Gives all away and is empty again. Throws `std::bad_alloc`, and then has given nothing.
    [[nodiscard]] std::string take();

private:
    void grow(std::size_t needed);
    void fetch_aside();

    std::string text_;
    std::size_t used_ = 0;        ///< how much of it was read
    std::string aside_;           ///< comes after it
    std::size_t aside_used_ = 0;  ///< likewise
    bool is_aside_ = false;       ///< the room that was given last is there
};

}  // namespace weft::subprocess
