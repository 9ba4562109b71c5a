#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace weft::os {

/// Fills `frames` with the return addresses of the calling thread's stack, innermost first, and
/// returns how many. The first call may load the unwinder, which allocates and takes the loader's
/// lock.
std::size_t capture_stack(std::span<void*> frames) noexcept;

/// Where the calling function's frame lies, or nearly: unlike the address of a variable, which the
/// address sanitizer may put elsewhere.
[[nodiscard]] std::uintptr_t stack_position() noexcept;

/// What the dynamic linker knows about an address. It knows exported functions only; of others the
/// module and the offset in it are what a debugger's tool makes a line number of.
struct Symbol {
    std::string name{};      ///< as the compiler mangles it; empty if not known
    std::string module{};    ///< the file; empty if not known
    std::size_t offset = 0;  ///< from the function's start, or from the module's
};

[[nodiscard]] Symbol symbol_at(const void* address);

}  // namespace weft::os
