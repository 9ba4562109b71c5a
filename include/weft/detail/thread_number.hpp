#pragma once

#include <cstdint>

#include <weft/detail/config.hpp>

namespace weft::detail {

/// The calling thread's number, which it keeps over fork; made at the first call.
[[nodiscard]] WEFT_API std::uint64_t make_thread_number() noexcept;

/// A number that no other thread of this process or of its parents has, ever had or will have;
/// never zero. The system's identifiers are used again, which would make a new thread the owner of
/// what an older one has left behind.
[[nodiscard]] inline std::uint64_t this_thread_number() noexcept {
    // Each shared library of a program may have a copy of this, and all copies agree.
    static constinit thread_local std::uint64_t number = 0;
    if (number == 0) [[unlikely]]
        number = make_thread_number();
    return number;
}

}  // namespace weft::detail
