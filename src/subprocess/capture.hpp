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
/// the system in large pages, which cost a fraction of what small ones do.
class Capture {
public:
    /// Room for the next read. Throws `std::bad_alloc`; what was read stays.
    [[nodiscard]] std::span<char> room();
    /// So much of it was filled.
    void commit(std::size_t size) noexcept { used_ += size; }

    [[nodiscard]] std::string_view view() const noexcept { return {text_.data(), used_}; }
    [[nodiscard]] std::size_t size() const noexcept { return used_; }
    /// Gives all away and is empty again.
    [[nodiscard]] std::string take();

private:
    std::string text_;
    std::size_t used_ = 0;
};

}  // namespace weft::subprocess
